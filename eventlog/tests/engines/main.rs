//! The engines, held to what they promise.

#[cfg(test)]
mod backup;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod model;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod rot;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod waiting;
