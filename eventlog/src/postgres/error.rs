//! Why a log could not be opened, and which failures pass by themselves.

use sqlx::error::DatabaseError;
use thiserror::Error;

/// Why a log in PostgreSQL could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The address cannot be read.
    #[error("this is not the address of a database; write postgres://USER:PASSWORD@HOST/DATABASE")]
    Address {
        /// What is wrong with it.
        #[source]
        source: sqlx::Error,
    },
    /// There is no connection to the server.
    #[error(
        "could not connect to PostgreSQL at {server}; check that it runs, the address, the user \
         and that the database exists"
    )]
    Connect {
        /// Host, port and database, without the password.
        server: String,
        /// What the server or the operating system said.
        #[source]
        source: sqlx::Error,
    },
    /// Names of events and actors may be any Unicode text.
    #[error(
        "the database is encoded in {found}, and the log needs UTF8; create it with CREATE \
         DATABASE name ENCODING 'UTF8' TEMPLATE template0"
    )]
    Encoding {
        /// The encoding of the database.
        found: String,
    },
    /// The server would acknowledge what a power cut can take away.
    #[error("the server runs with fsync = off and would lose events; set fsync = on and reload it")]
    NotDurable,
    /// The log was created with another partition count, and it never changes.
    #[error(
        "the log in this database has {found} partitions, not {wanted}; configure {found}, or \
         another database"
    )]
    PartitionCount {
        /// The count stored when the log was created.
        found: i32,
        /// The count asked for.
        wanted: u16,
    },
    /// The tables were made by a newer version of this program. Use that one.
    #[error(
        "the log's tables have version {found}, and this program knows up to {known}; update it"
    )]
    TooNew {
        /// The version of the tables.
        found: i32,
        /// The newest version that this program knows.
        known: i32,
    },
    /// The server refused a statement.
    #[error("could not {operation}")]
    Refused {
        /// What was tried.
        operation: &'static str,
        /// What the server said.
        #[source]
        source: sqlx::Error,
    },
}

impl OpenError {
    /// To be given to `map_err`: says what was tried.
    pub(super) fn refused(operation: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Refused { operation, source }
    }
}

/// SQLSTATE classes and codes (PostgreSQL manual, appendix A) after which the same may succeed:
/// connection lost (08), deadlock and serialization (40), out of resources (53), the server stops
/// or starts (57P); read only after a failover (25006), a transaction that was left alone too long
/// (25P03), a lock that was not given in time (55P03), and an id or place that another process
/// took at the same moment (23505), which the next look at the database finds.
const PASSING: [&str; 8] = ["08", "40", "53", "57P", "25006", "25P03", "55P03", "23505"];

/// There is no room for the database (appendix A).
const DISK_FULL: &str = "53100";

/// Whether the same may succeed in a moment.
pub(super) fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => {
            let code = code(&**error);
            PASSING.iter().any(|passing| code.starts_with(passing))
        }
        _ => false,
    }
}

/// Whether the server has no room on its disk.
pub(super) fn is_disk_full(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| code(error) == DISK_FULL)
}

fn code(error: &dyn DatabaseError) -> String {
    error.code().unwrap_or_default().into_owned()
}
