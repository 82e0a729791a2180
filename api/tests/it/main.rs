//! The API from outside: the whole router over a log in memory and read models in a directory that
//! goes away.

mod front;
mod harness;
mod journey;
mod ownership;
mod plain;
mod streams;
