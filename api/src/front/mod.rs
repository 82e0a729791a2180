//! The strict front of the GraphQL endpoint: what is refused before anything is resolved.
//!
//! HTTP first ([`negotiation`], [`body`]), as the GraphQL-over-HTTP draft and the audits of
//! graphql-http want it. Then the document: [`scan`] bounds what the recursive parser is given, and
//! [`document`] bounds what validation and execution are given. The library's own limits come too
//! late for both: 4 kB of nested brackets overflow the parser's stack and end the process, and 626
//! bytes of fragments that spread each other keep its validation busy for half a second (measured
//! on async-graphql 8.0.0-rc.5).

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod document;
pub(crate) mod negotiation;
pub(crate) mod omitted;
pub(crate) mod scan;
