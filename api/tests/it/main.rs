//! The API from outside: the whole router over a log in memory and read models in a directory that
//! goes away.

#[cfg(test)]
mod browse;
#[cfg(test)]
mod front;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod lookups;
#[cfg(test)]
mod ownership;
#[cfg(test)]
mod people;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod plain;
#[cfg(test)]
mod playing;
#[cfg(test)]
mod published;
#[cfg(test)]
mod search;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod titles;
