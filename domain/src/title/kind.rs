//! Kinds of titles.

use crate::values::names;

names! {
    /// What kind of title it is.
    pub enum Kind {
        /// A feature film, also one made for television or video.
        Movie = "movie",
        /// A film of less than 40 minutes, as its catalogue says.
        Short = "short",
        /// A film about what is real.
        Documentary = "documentary",
        /// A series or mini-series; its episodes are titles of their own.
        Series = "series",
        /// One episode of a series.
        Episode = "episode",
        /// A one-off programme.
        Special = "special",
        /// Something that comes with another title, such as an interview.
        Extra = "extra",
        /// What another title is announced with.
        Trailer = "trailer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_shown_as_it_is_stored() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
