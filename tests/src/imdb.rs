//! Files like IMDb's, as large as a test needs them: made up, and the same for the same number.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The header of each file, as IMDb has it.
const HEADERS: [(&str, &str); 7] = [
    (
        "title.basics",
        "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\t\
         genres",
    ),
    (
        "title.akas",
        "titleId\tordering\ttitle\tregion\tlanguage\ttypes\tattributes\tisOriginalTitle",
    ),
    ("title.crew", "tconst\tdirectors\twriters"),
    ("title.principals", "tconst\tordering\tnconst\tcategory\tjob\tcharacters"),
    ("title.ratings", "tconst\taverageRating\tnumVotes"),
    ("title.episode", "tconst\tparentTconst\tseasonNumber\tepisodeNumber"),
    ("name.basics", "nconst\tprimaryName\tbirthYear\tdeathYear\tprimaryProfession\tknownForTitles"),
];

/// Names in several scripts, with the region they are of.
const WORDS: [(&str, &str); 6] = [
    ("DE", "Der Fährmann"),
    ("JP", "渡し守"),
    ("GR", "Ο πορθμέας"),
    ("RU", "Паромщик"),
    ("BR", "O Barqueiro"),
    ("IL", "המעבוראי"),
];

/// Writes all files of a catalogue of so many titles, about 14 lines for each, into a directory.
/// Answers how many lines that is, without the headers. A tenth as many people as titles are in it.
///
/// # Errors
/// A file cannot be written.
pub fn write_imdb(dir: &Path, titles: u32) -> io::Result<u64> {
    let mut files = Vec::new();
    for (name, header) in HEADERS {
        let file = File::create(dir.join(format!("{name}.tsv")))?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        writeln!(file, "{header}")?;
        files.push(file);
    }
    let [basics, akas, crew, principals, ratings, episodes, names] = files.as_mut_slice() else {
        return Ok(0);
    };
    let people = (titles / 10).max(10);
    let mut lines = 0;
    for number in 1..=titles {
        let key = format!("tt{number:08}");
        let person = |nth: u32| {
            format!("nm{:08}", 1 + number.wrapping_mul(7).wrapping_add(nth * 31) % people)
        };
        // Each tenth title is a series, and the three behind it are its episodes.
        let (kind, series) = match number % 10 {
            0 => ("tvSeries", None),
            nth @ 1..=3 if number > 10 => ("tvEpisode", Some(number - nth)),
            4 => ("short", None),
            _ => ("movie", None),
        };
        let (year, minutes) = (1920 + number % 100, 1 + number % 180);
        writeln!(
            basics,
            "{key}\t{kind}\tThe Ferryman {number}\tThe Ferryman {number}\t0\t{year}\t\\N\t{minutes}\t\
             Drama,Comedy"
        )?;
        for (nth, (region, name)) in
            (1..).zip(WORDS.iter().cycle().skip((number % 6) as usize)).take(4)
        {
            writeln!(akas, "{key}\t{nth}\t{name} {number}\t{region}\t\\N\timdbDisplay\t\\N\t0")?;
        }
        writeln!(crew, "{key}\t{}\t{},{}", person(0), person(1), person(2))?;
        for nth in 0..6 {
            let (category, job, characters) = match nth {
                0 => ("director", "\\N", "\\N".to_owned()),
                1 => ("writer", "screenplay", "\\N".to_owned()),
                _ => ("actress", "\\N", format!("[\"Traveller {nth}\",\"\\\"Nobody\\\"\"]")),
            };
            writeln!(
                principals,
                "{key}\t{}\t{}\t{category}\t{job}\t{characters}",
                nth + 1,
                person(nth)
            )?;
        }
        lines += 12;
        if number % 2 == 0 {
            writeln!(ratings, "{key}\t{}.{}\t{}", number % 10, number % 7, number % 1_000 + 5)?;
            lines += 1;
        }
        if let Some(series) = series {
            let (season, episode) = (1 + number % 5, number % 10);
            writeln!(episodes, "{key}\ttt{series:08}\t{season}\t{episode}")?;
            lines += 1;
        }
    }
    for number in 1..=people {
        writeln!(names, "nm{number:08}\tPerson {number}\t\\N\t\\N\tactress\t\\N")?;
        lines += 1;
    }
    files.iter_mut().try_for_each(BufWriter::flush)?;
    Ok(lines)
}
