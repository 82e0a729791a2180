//! The PostgreSQL engine, held to what it promises, on a real server.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod doubt;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod model;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod order;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod server;
