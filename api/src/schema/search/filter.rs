//! What must hold of titles besides the text.

use async_graphql::InputObject;
use playhead_search::query::Filters;

use crate::errors::{Code, Fault};
use crate::schema::title::TitleType;

/// What must hold of titles besides the text. Values of one list are alternatives, at most 50 of
/// them; all that is given must hold.
#[derive(Debug, InputObject)]
pub(crate) struct SearchFilter {
    /// Has one of these genres, in upper or lower case.
    genres: Option<Vec<String>>,
    /// Was released in this year or later.
    year_from: Option<u16>,
    /// Was released in this year or earlier.
    year_to: Option<u16>,
    /// Was released in this decade, given by its first year, such as 1990.
    decade: Option<u16>,
    /// Is of one of these kinds.
    types: Option<Vec<TitleType>>,
    /// Has at least this rating, from 0 to 10.
    rating_min: Option<f64>,
    /// Has a name or synopsis in one of these languages, as BCP 47 tags; `pt` takes `pt-BR`, too.
    languages: Option<Vec<String>>,
}

impl SearchFilter {
    /// # Errors
    /// The years are in the wrong order, or the rating is none.
    pub(super) fn into_filters(self) -> Result<Filters, Fault> {
        let rating_min_tenths = self.rating_min.map(tenths).transpose()?;
        let years = match (self.year_from, self.year_to) {
            (None, None) => None,
            // Titles without a year were released in no year.
            (from, to) => Some(from.unwrap_or(1).max(1)..=to.unwrap_or(u16::MAX)),
        };
        Ok(Filters {
            genres: self.genres.unwrap_or_default(),
            kinds: self.types.unwrap_or_default().into_iter().map(Into::into).collect(),
            years,
            decades: self.decade.into_iter().collect(),
            rating_min_tenths,
            languages: self.languages.unwrap_or_default(),
        })
    }
}

/// The fewest tenths that are not less than a rating.
fn tenths(rating: f64) -> Result<u8, Fault> {
    let found = (0..=100_u8).find(|tenths| f64::from(*tenths) + 1e-6 >= rating * 10.0);
    found.filter(|_| rating >= 0.0).ok_or_else(|| {
        let rule = "filter.ratingMin: from 0 to 10";
        Fault::new(Code::InvalidInput, rule).at("filter.ratingMin")
    })
}

/// The argument that a field of a request comes from.
pub(super) fn name_of(field: &'static str) -> &'static str {
    match field {
        "text" => "query",
        "filters/genres" => "filter.genres",
        "filters/kinds" => "filter.types",
        "filters/years" => "filter.yearFrom",
        "filters/decades" => "filter.decade",
        "filters/rating_min" => "filter.ratingMin",
        "filters/languages" => "filter.languages",
        other => other,
    }
}
