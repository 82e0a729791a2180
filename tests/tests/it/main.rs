//! The whole system, tested from outside: one binary, a module a subject.

mod tidy;
