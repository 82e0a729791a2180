//! People: registering, signing in, changing, leaving.

mod data;
mod devices;
mod limits;
mod operators;
mod passwords;
mod registering;
mod signing_in;
mod world;
