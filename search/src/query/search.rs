//! From a request to an answer.

use std::cmp::Reverse;

use playhead_domain::ids::TitleId;

use super::answer::{Answer, Facets, Hit};
use super::gate::Gate;
use super::highlight::Highlighter;
use super::pass::{NearNames, Pass};
use super::plan::{Plan, Reading};
use super::request::{Error, Request, Taste};
use super::tier::{Grade, Tier};
use super::words::corrected;
use crate::index::Snapshot;
use crate::text::{normalize, squash, stem};

/// With this many titles that match as they were typed, misspellings are not looked for.
const ENOUGH: usize = 10;

/// The hits among which taste reorders, and those of which the similarity is computed.
const TASTED: usize = 100;
const COMPARED: usize = 50;

/// A title that only begins with the word that was typed has to be at least so many times as popular,
/// as a fraction, as all that are called so to come before them.
const MORE: (u32, u32) = (3, 2);

/// A title in the order of an answer: what comes before popularity, popularity, how it matches,
/// the length of its name (what is left to type is short), and at last its id.
type Ranked = (u32, Reverse<u32>, Grade, u16, TitleId, Place);

/// The segment and the document.
type Place = (usize, u32);

impl Snapshot {
    /// Finds titles.
    ///
    /// The same documents, popularity and request give the same answer, however the index has come
    /// to its segments: nothing that is counted over the index has a part in the order.
    ///
    /// # Errors
    /// The field of the request that breaks its rule, or the index cannot be read.
    pub fn search(&self, request: &Request) -> Result<Answer, Error> {
        request.validate()?;
        let languages: Vec<_> =
            self.languages.iter().filter_map(|tag| stem::algorithm(tag)).collect();
        let plan = Plan::of(&request.text, &languages);
        let gate = Gate::new(self, &request.filters, request.audience);
        let passes = self.segments.iter();
        let mut passes: Vec<Pass<'_>> =
            passes.map(|segment| Pass::new(segment, &self.fields, gate.at(segment))).collect();
        self.find(&plan, &mut passes)?;
        let mut ranked = ranked(&passes);
        let total = ranked.len();
        select(&mut ranked, (request.offset + request.first).max(TASTED));
        put_favourite_first(&plan, &mut ranked);
        if let Some(taste) = &request.taste {
            self.blend(&mut ranked, taste);
        }
        let did_you_mean = match ranked.first() {
            Some(best) => self.meant(&plan, best)?,
            None => None,
        };
        let facets = request.facets.then(|| Facets::of(self, &passes));
        let highlighter = Highlighter::new(plan);
        let page = ranked.iter().skip(request.offset).take(request.first);
        let hits: Result<Vec<Hit>, Error> =
            page.filter_map(|it| self.hit(it, request, &highlighter).transpose()).collect();
        let generation = self.generation;
        Ok(Answer { hits: hits?, total, did_you_mean, facets, highlighter, generation })
    }

    /// Grades every title that matches. Misspellings are looked for only if few titles match as
    /// they were typed, and what is merely similar only if there is nothing better.
    fn find(&self, plan: &Plan, passes: &mut [Pass<'_>]) -> Result<(), Error> {
        for reading in &plan.readings {
            for pass in passes.iter_mut() {
                pass.names(reading)?;
                pass.name_and_person(reading)?;
                pass.words(reading, None)?;
            }
        }
        if passes.iter().map(Pass::well_matched).sum::<usize>() >= ENOUGH {
            return Ok(());
        }
        for reading in &plan.readings {
            let near = NearNames::of(reading);
            let words = corrected(reading);
            for pass in passes.iter_mut() {
                pass.names_edited(reading, &near)?;
                pass.words(reading, Some(&words))?;
            }
        }
        let best = passes.iter().filter_map(Pass::best).min();
        match plan.readings.first() {
            Some(reading) if best >= Some(Grade::new(Tier::Similar, 0)) || best.is_none() => {
                self.find_similar(reading, passes)
            }
            _ => Ok(()),
        }
    }

    /// Grades the titles whose names look similar: those with the most runs of three characters in
    /// common, by their edits.
    fn find_similar(&self, reading: &Reading, passes: &mut [Pass<'_>]) -> Result<(), Error> {
        let mut alike: Vec<(Reverse<u32>, Reverse<u32>, TitleId, Place)> = vec![];
        for (at, pass) in passes.iter_mut().enumerate() {
            for (doc, count) in pass.alike(reading)? {
                if let (Some(row), Some(popularity)) =
                    (pass.segment.row(doc), pass.segment.popularity.get(doc as usize))
                {
                    let order = (Reverse(count), Reverse(*popularity));
                    alike.push((order.0, order.1, row.title_id, (at, doc)));
                }
            }
        }
        select(&mut alike, COMPARED);
        // Three in ten characters: beyond that, most that is similar is something else.
        let edits_max = reading.whole.chars().count() * 3 / 10;
        for (_, _, _, (at, doc)) in alike {
            let document = self.document(at, doc)?;
            let names = document.names().map(|(name, _)| squash(&normalize(name)));
            let edits = names.map(|name| strsim::osa_distance(&name, &reading.whole)).min();
            if let (Some(edits), Some(pass)) = (edits, passes.get_mut(at))
                && edits <= edits_max
            {
                let step = u16::try_from(edits).unwrap_or(u16::MAX);
                pass.offer(reading, doc, Grade::new(Tier::Similar, step));
            }
        }
        Ok(())
    }

    /// The name that was probably meant, if the best title was found by correcting the text.
    fn meant(&self, plan: &Plan, best: &Ranked) -> Result<Option<String>, Error> {
        let corrects = [Tier::WholeOneEdit, Tier::WholeTwoEdits, Tier::Similar];
        let (_, _, grade, _, _, (at, doc)) = best;
        let Some(reading) = plan.readings.first() else { return Ok(None) };
        if !grade.tier().is_some_and(|tier| corrects.contains(&tier)) {
            return Ok(None);
        }
        let document = self.document(*at, *doc)?;
        let names = document.names().map(|(name, _)| name);
        let nearest = names
            .min_by_key(|name| strsim::osa_distance(&squash(&normalize(name)), &reading.whole));
        Ok(nearest.map(str::to_owned))
    }

    fn hit(
        &self,
        (_, _, grade, _, title_id, (at, doc)): &Ranked,
        request: &Request,
        highlighter: &Highlighter,
    ) -> Result<Option<Hit>, Error> {
        let Some(tier) = grade.tier() else { return Ok(None) };
        let highlights = if request.highlights {
            highlighter.highlights(&self.document(*at, *doc)?)
        } else {
            vec![]
        };
        Ok(Some(Hit { title_id: *title_id, tier, highlights }))
    }

    /// Reorders the best hits: half of it is the order of the search, half what the profile likes.
    /// Titles that are called what was typed stay first, and what was typed stays before what was
    /// corrected.
    fn blend(&self, ranked: &mut [Ranked], taste: &Taste) {
        let tasted = ranked.len().min(TASTED);
        let Some(window) = ranked.get_mut(..tasted) else { return };
        let count = f32::from(u16::try_from(tasted).unwrap_or(u16::MAX));
        let mut blended: Vec<(u8, f32, Ranked)> = window
            .iter()
            .enumerate()
            .map(|(at, it)| {
                let place = f32::from(u16::try_from(at).unwrap_or(u16::MAX)) / count;
                let class = match it.2.tier() {
                    Some(Tier::Whole) => 0,
                    Some(tier) if tier < Tier::WholeOneEdit => 1,
                    _ => 2,
                };
                let liked = if class == 0 { 0.0 } else { self.liked(it.5, taste) };
                (class, 0.5 * (1.0 - place) + 0.5 * liked, *it)
            })
            .collect();
        blended.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        for (held, (_, _, it)) in window.iter_mut().zip(blended) {
            *held = it;
        }
    }

    /// The mean of what the profile thinks of the title's genres, from 0 to 1.
    fn liked(&self, (at, doc): Place, taste: &Taste) -> f32 {
        let Some(segment) = self.segments.get(at) else { return 0.0 };
        let Some(row) = segment.row(doc) else { return 0.0 };
        let (mut sum, mut count) = (0.0, 0.0_f32);
        for genre in segment.genres_of(row) {
            let name = self.genres.get(usize::from(genre));
            let liked = name.and_then(|name| taste.genres.get(name)).copied().unwrap_or_default();
            sum += if liked.is_finite() { liked.clamp(0.0, 1.0) } else { 0.0 };
            count += 1.0;
        }
        sum / count.max(1.0)
    }
}

/// A single word may be a whole name or half of a better known one: "escape" is more likely on its
/// way to "Escape from New York" than to a film of that name that nobody watches, and "escpae" as
/// well. One such title, the most popular, comes first then, and those that are called so right
/// behind it.
fn put_favourite_first(plan: &Plan, ranked: &mut [Ranked]) {
    let reading = plan.readings.first();
    if !reading.is_some_and(|it| it.words.len() == 1 && it.whole_among() == Tier::Whole) {
        return;
    }
    let longer = match ranked.first().and_then(|it| it.2.tier()) {
        Some(Tier::Whole) => Tier::Prefix,
        Some(Tier::WholeOneEdit) => Tier::PrefixOneEdit,
        _ => return,
    };
    let Some(at) = ranked.iter().position(|it| it.2.tier() == Some(longer)) else { return };
    let popularity = |it: Option<&Ranked>| it.map_or(0, |it| it.1.0.saturating_add(1));
    let favourite = popularity(ranked.get(at)).saturating_mul(MORE.1);
    if favourite >= popularity(ranked.first()).saturating_mul(MORE.0) {
        ranked.get_mut(..=at).unwrap_or_default().rotate_right(1);
    }
}

fn ranked(passes: &[Pass<'_>]) -> Vec<Ranked> {
    let mut ranked = Vec::with_capacity(passes.iter().map(|pass| pass.found.len()).sum());
    for (at, pass) in passes.iter().enumerate() {
        for doc in &pass.found {
            let place = *doc as usize;
            if let (Some(grade), Some(row), Some(popularity)) =
                (pass.grades.get(place), pass.segment.row(*doc), pass.segment.popularity.get(place))
            {
                let order = (grade.above(), Reverse(*popularity));
                ranked.push((order.0, order.1, *grade, row.length, row.title_id, (at, *doc)));
            }
        }
    }
    ranked
}

/// Keeps the lowest, sorted.
fn select<T: Ord>(list: &mut Vec<T>, count: usize) {
    if list.len() > count {
        list.select_nth_unstable(count);
        list.truncate(count);
    }
    list.sort_unstable();
}
