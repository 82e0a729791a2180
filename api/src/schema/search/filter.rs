//! What must hold of titles besides the text.

use async_graphql::InputObject;
use playhead_search::query::Filters;

use crate::errors::{Code, Fault};
use crate::schema::title::TitleType;

/// The first year that there is: titles of which none is known count as of the year 0.
const YEAR_MIN: u16 = 1;

/// What must hold of titles besides the text. Values of one list are alternatives, at most 50 of
/// them; all that is given must hold.
#[derive(Debug, InputObject)]
pub(crate) struct SearchFilter {
    /// Has one of these genres, in upper or lower case.
    genres: Option<Vec<String>>,
    /// Was released in this year or later.
    year_from: Option<i32>,
    /// Was released in this year or earlier.
    year_to: Option<i32>,
    /// Was released in this decade, given by its first year, such as 1990.
    decade: Option<i32>,
    /// Is of one of these kinds.
    types: Option<Vec<TitleType>>,
    /// Has at least this rating, from 0 to 10.
    rating_min: Option<f64>,
    /// Has a name or synopsis in one of these languages, as BCP 47 tags; `pt` takes `pt-BR`, too.
    languages: Option<Vec<String>>,
}

impl SearchFilter {
    /// # Errors
    /// A year or the rating is none.
    pub(super) fn into_filters(self) -> Result<Filters, Fault> {
        let rating_min_tenths = self.rating_min.map(tenths).transpose()?;
        let from = year(self.year_from, "filter.yearFrom")?;
        let to = year(self.year_to, "filter.yearTo")?;
        let years = (from.is_some() || to.is_some())
            .then(|| from.unwrap_or(YEAR_MIN)..=to.unwrap_or(u16::MAX));
        Ok(Filters {
            genres: self.genres.unwrap_or_default(),
            kinds: self.types.unwrap_or_default().into_iter().map(Into::into).collect(),
            years,
            decades: year(self.decade, "filter.decade")?.into_iter().collect(),
            rating_min_tenths,
            languages: self.languages.unwrap_or_default(),
        })
    }
}

fn year(asked: Option<i32>, field: &'static str) -> Result<Option<u16>, Fault> {
    let year = asked.map(u16::try_from).transpose().ok();
    year.filter(|year| year.is_none_or(|it| it >= YEAR_MIN)).ok_or_else(|| {
        let rule = format!("{field}: from {YEAR_MIN} to {}", u16::MAX);
        Fault::new(Code::InvalidInput, rule).at(field)
    })
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
