use std::io::Cursor;

use super::*;

const LAYOUT: Layout<2> =
    Layout { file: "title.ratings", prefix: "tt", repeats: false, columns: ["tconst", "numVotes"] };

fn table(text: &str, layout: Layout<2>) -> anyhow::Result<Table<2>> {
    Table::new(Box::new(Cursor::new(text.as_bytes().to_vec())), "ratings.tsv".into(), layout)
}

/// All lines: what they say, or what is wrong with them.
fn lines(text: &str, layout: Layout<2>) -> anyhow::Result<Vec<String>> {
    let mut table = table(text, layout)?;
    let mut found = vec![];
    loop {
        found.push(match table.advance()? {
            Line::End => return Ok(found),
            Line::Broken(flaw) => flaw.to_string(),
            Line::Keyed => match table.row() {
                Ok(row) => format!("{:?}", row.texts().map(|text| text.unwrap_or("-"))),
                Err(flaw) => flaw.to_string(),
            },
        });
    }
}

#[test]
fn columns_are_found_by_name_and_nothing_is_told_from_a_text() {
    let text = "tconst\taverageRating\tnumVotes\r\ntt1\t5.0\t\\N\r\n\ntt10\t\"x\t \n";
    assert_eq!(lines(text, LAYOUT).unwrap(), ["[\"tt1\", \"-\"]", "[\"tt10\", \" \"]"]);
    assert!(lines("tconst\tnumVotes\n", LAYOUT).unwrap().is_empty());
    assert_eq!(lines("tconst\tnumVotes\ntt1\t7", LAYOUT).unwrap(), ["[\"tt1\", \"7\"]"]);
}

#[test]
fn another_file_is_refused_by_its_header() {
    for (text, expected) in [
        ("tconst\taverageRating\n", "ratings.tsv:1: numVotes: no such column"),
        ("", "ratings.tsv:1: tconst: no such column"),
        ("numVotes\ttconst\n", "ratings.tsv:1: the first column must be tconst"),
    ] {
        let error = table(text, LAYOUT).err().unwrap().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn broken_lines_are_told_and_those_behind_them_are_read() {
    let text = "tconst\tnumVotes\nx\t1\ntt\t1\ntt2\t1\t1\ntt2\t4\ntt3\t5\n";
    assert_eq!(
        lines(text, LAYOUT).unwrap(),
        [
            "ratings.tsv:2: tconst: must be tt and digits",
            "ratings.tsv:3: tconst: must be tt and digits",
            "ratings.tsv:4: 3 fields where the header has 2",
            "ratings.tsv:5: tconst: is there a second time",
            "[\"tt3\", \"5\"]",
        ]
    );
    let repeating = Layout { repeats: true, ..LAYOUT };
    assert_eq!(lines("tconst\tnumVotes\ntt2\t1\ntt2\t4\n", repeating).unwrap().len(), 2);
    let mut table = table("tconst\tnumVotes\n", LAYOUT).unwrap();
    table.input = Box::new(Cursor::new(b"tt1\t\xff\n".to_vec()));
    table.advance().unwrap();
    assert_eq!(table.row().err().unwrap().to_string(), "ratings.tsv:2: is not UTF-8");
}

#[test]
fn order_is_that_of_texts_and_not_of_numbers() {
    let text = "tconst\tnumVotes\ntt0000009\t1\ntt10000000\t1\ntt2\t1\n";
    assert_eq!(lines(text, LAYOUT).unwrap().len(), 3);
    let error = lines("tconst\tnumVotes\ntt2\t1\ntt10\t1\n", LAYOUT).unwrap_err();
    let error = crate::failure::describe(&error);
    assert!(error.contains("ratings.tsv:3: tconst: tt10 must not stand behind tt2"), "{error}");
}

#[test]
fn a_line_without_an_end_does_not_fill_the_memory() {
    let text = format!("tconst\tnumVotes\ntt1\t{}\n", "1".repeat(2 << 20));
    let error = lines(&text, LAYOUT).unwrap_err().to_string();
    assert_eq!(error, "ratings.tsv:2: the line is longer than 1048576 bytes");
}
