//! Throw-away.
#![allow(
    missing_docs,
    clippy::all,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss
)]
use playhead_domain::ids::TitleId;
use playhead_domain::title::{CreditRole, Kind};
use playhead_search::index::{Document, Index, Options, Person};
use playhead_search::popularity::Popularity;
use playhead_search::query::Request;
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;
use uuid::Uuid;
fn id(n: usize) -> TitleId {
    let h = (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D;
    let h = (h ^ (h >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    TitleId(Uuid::from_u128(((h as u128) << 64) | n as u128))
}
fn num(t: TitleId) -> usize {
    (t.0.as_u128() & 0xffff_ffff) as usize
}
fn cpu() -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1e6
}
fn main() {
    let mut files: Vec<_> = std::fs::read_dir("/work/shared/data/films")
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.file_name().unwrap().to_str().unwrap().starts_with("movies-"))
        .collect();
    files.sort();
    let t = Instant::now();
    let mut titles = vec![String::new()];
    let dir = std::env::var("DIR").ok();
    let index = match &dir {
        Some(d) => {
            std::fs::create_dir_all(d).unwrap();
            Index::open(d.as_ref(), Options::default()).unwrap()
        }
        None => Index::in_memory(Options::default()).unwrap(),
    };
    let fresh = index.payload().unwrap().is_none();
    let mut n = 0;
    for f in files {
        let films: Vec<serde_json::Value> =
            serde_json::from_str(&std::fs::read_to_string(f).unwrap()).unwrap();
        for film in films {
            n += 1;
            let s = |k: &str| film[k].as_str().map(str::to_owned);
            let list = |k: &str| {
                film[k]
                    .as_array()
                    .map(|a| {
                        a.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect::<Vec<_>>()
                    })
                    .unwrap_or_default()
            };
            let mut d = Document::new(id(n), Kind::Movie, s("title").unwrap());
            titles.push(d.name.clone());
            if !fresh {
                continue;
            }
            d.year = film["year"].as_u64().map(|y| y as u16);
            d.genres = list("genres");
            d.people = list("cast")
                .into_iter()
                .map(|name| Person { name, role: CreditRole::Actor, character: None })
                .collect();
            d.synopsis = s("extract");
            index.put(&d).unwrap();
        }
    }
    println!("put {n} {:?}", t.elapsed());
    if fresh {
        index.commit("1").unwrap();
    }
    println!("committed {:?}", t.elapsed());
    let pop = std::fs::read_to_string("/work/shared/data/search/popularity.tsv").unwrap();
    let plays: HashMap<_, _> = pop
        .lines()
        .skip(1)
        .map(|l| {
            let c: Vec<_> = l.split('\t').collect();
            (id(c[0].parse().unwrap()), c[3].parse().unwrap())
        })
        .collect();
    let count = |n: usize| plays.get(&id(n)).copied().unwrap_or(0u32);
    index.set_popularity(Popularity::new(plays.clone())).unwrap();
    println!("ready {:?}", t.elapsed());
    println!(
        "{}",
        std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .filter(|l| l.starts_with("VmRSS") || l.starts_with("VmHWM"))
            .collect::<Vec<_>>()
            .join(" ")
    );
    let args: Vec<String> = std::env::args().skip(1).collect();
    let snap = index.snapshot();
    if let Some(q) = args.get(0).filter(|a| !a.starts_with("--")) {
        let t = Instant::now();
        let a = snap.search(&Request::new(q.clone())).unwrap();
        println!("{:?} total {}", t.elapsed(), a.total);
        for h in a.hits {
            let n = num(h.title_id);
            println!("{:?} {n} {} pop {}", h.tier, titles[n], count(n));
        }
        return;
    }
    let show = args.get(1).cloned();
    let mut table: BTreeMap<(String, String), (usize, f64, Vec<f64>, f64)> = BTreeMap::new();
    let ceiling = playhead_search::eval::Ceiling::new(
        titles.iter().enumerate().skip(1).map(|(n, t)| (n as u32, t.as_str())),
        plays.iter().map(|(k, v)| (num(*k) as u32, *v)).collect(),
    );
    let mut all = vec![];
    for line in std::fs::read_to_string("/work/shared/data/search/dev.tsv").unwrap().lines().skip(1)
    {
        let c: Vec<&str> = line.split('\t').collect();
        let rel: Vec<usize> = c[4].split(',').map(|r| r.parse().unwrap()).collect();
        let t = cpu();
        let a = snap.search(&Request::new(c[2])).unwrap();
        let e = cpu() - t;
        all.push(e);
        let rank = a.hits.iter().position(|h| rel.contains(&(num(h.title_id))));
        let mrr = rank.map_or(0.0, |r| 1.0 / (r as f64 + 1.0));
        let mut ceil = 0.0;
        if playhead_search::eval::is_prefix_kind(c[1]) {
            let mut relevant: Vec<u32> = rel.iter().map(|r| *r as u32).collect();
            relevant.sort();
            ceil = ceiling.of(&playhead_search::eval::Query {
                line: 0,
                stratum: c[0].into(),
                kind: c[1].into(),
                text: c[2].into(),
                target: rel[0] as u32,
                relevant,
            });
        }
        let row = table.entry((c[1].into(), c[0].into())).or_default();
        row.0 += 1;
        row.1 += mrr;
        row.2.push(e);
        row.3 += ceil;
        if show.as_deref() == Some(c[1])
            && mrr < 0.99
            && (!c[1].starts_with("prefix") || c[1] == "prefix_typo1" || mrr + 0.001 < ceil)
        {
            println!(
                "{} {:?} want {} {} pop {} rank {rank:?}; got {:?}",
                c[0],
                c[2],
                c[3],
                titles[rel[0]],
                count(rel[0]),
                a.hits
                    .iter()
                    .take(4)
                    .map(|h| {
                        let n = num(h.title_id);
                        format!("{:?} {} {}", h.tier, titles[n], count(n))
                    })
                    .collect::<Vec<_>>()
            );
        }
    }
    for ((k, s), (n, m, mut e, ceil)) in table {
        e.sort_by(f64::total_cmp);
        println!(
            "{k:18} {s:8} {n:4} mrr {:.4} ceil {:.4} mean {:.2} p99 {:.2} max {:.2}",
            m / n as f64,
            ceil / n as f64,
            e.iter().sum::<f64>() / n as f64,
            e[e.len() * 99 / 100],
            e[e.len() - 1]
        );
    }
    all.sort_by(f64::total_cmp);
    println!(
        "all mean {:.3} p50 {:.3} p99 {:.3} max {:.3}",
        all.iter().sum::<f64>() / all.len() as f64,
        all[all.len() / 2],
        all[all.len() * 99 / 100],
        all[all.len() - 1]
    );
    println!(
        "{}",
        std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .filter(|l| l.starts_with("VmRSS") || l.starts_with("VmHWM"))
            .collect::<Vec<_>>()
            .join(" ")
    );
}
