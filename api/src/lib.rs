//! What clients talk to: GraphQL, and the few plain HTTP routes beside it.
//!
//! A request passes three doors. `front` is strict about HTTP and refuses, before the parser or
//! the validator sees them, documents that would cost too much. `schema` resolves what is left:
//! reads from the read models and from folded streams, writes through
//! [`playhead_commands::Commands`]. [`errors`] turns every refusal and failure into a stable code
//! of `schemas/error-codes.json`; nothing unexpected leaves the process as text.
//!
//! What this crate is *not*: it never appends to the log, decides nothing, reads no configuration
//! and makes no time, id or key; those come with [`Services`].

pub mod access;
mod background;
mod caller;
pub mod errors;
mod explorer;
mod export;
mod front;
mod global_id;
mod graphql;
mod health;
mod heartbeat;
mod home;
mod idempotency;
mod jwks;
pub mod limits;
mod oauth;
mod page_cursor;
mod pages;
pub mod permissions;
mod place;
mod position;
mod routes;
mod schema;
mod services;
mod sse;
mod ws;

pub use access::{AccessCheck, AccessError, Identity, Role, TokenStates};
pub use background::{Background, NoPromises, Promises};
pub use home::SharedLists;
pub use page_cursor::CursorKey;
pub use place::{NoPlaces, Place, PlaceClues, Places};
pub use routes::{route_classes, router};
pub use schema::sdl;
pub use services::{ApiOptions, Clock, ListedSignIn, Services, SignInList};
