//! Every script and language finds what it should.

use super::*;

#[test]
fn searches_in_all_scripts_find_what_they_should() {
    let catalogue = Catalogue::of([
        Document {
            localized: vec![
                local("ja", "千と千尋の神隠し"),
                local("zh-Hans", "千与千寻"),
                local("ko", "센과 치히로의 행방불명"),
                local("th", "มิติวิญญาณมหัศจรรย์"),
                local("ar", "المخطوفة"),
                local("el", "Ταξίδι στη Χώρα των Θαυμάτων"),
                local("tr", "Ruhların Kaçışı"),
                local("de", "Chihiros Reise ins Zauberland"),
            ],
            ..film("Spirited Away")
        },
        Document {
            localized: vec![local("de", "Die Brücke über den Großen Fluß")],
            ..film("Bridge")
        },
        Document { localized: vec![local("tr", "İstanbul'da Işık")], ..film("Light") },
        Document { localized: vec![local("ja", "シン・ゴジラ")], ..film("Monster") },
        Document { localized: vec![local("de", "Häuser")], ..film("Homes") },
        film("🎬 Emoji 👩‍🚀 Movie"),
    ]);
    for (text, name) in [
        ("千と千尋の神隠し", "Spirited Away"),
        ("神隠し", "Spirited Away"),
        ("千尋", "Spirited Away"),
        ("千与千寻", "Spirited Away"),
        ("千寻", "Spirited Away"),
        ("센과 치히로", "Spirited Away"),
        ("행방불명", "Spirited Away"),
        ("치히로", "Spirited Away"),
        ("มหัศจรรย์", "Spirited Away"),
        ("วิญญาณ", "Spirited Away"),
        ("المخطوفه", "Spirited Away"),
        ("الْمَخْطُوفَة", "Spirited Away"),
        ("ταξιδι", "Spirited Away"),
        ("ΘΑΥΜΆΤΩΝ", "Spirited Away"),
        ("ruhlarin kacisi", "Spirited Away"),
        ("RUHLARIN", "Spirited Away"),
        ("zauberland", "Spirited Away"),
        ("bruecke", "Bridge"),
        ("brücke", "Bridge"),
        ("brucke", "Bridge"),
        ("grossen fluss", "Bridge"),
        ("istanbulda ışık", "Light"),
        ("ISTANBULDA ISIK", "Light"),
        ("ゴジラ", "Monster"),
        ("ｺﾞｼﾞﾗ", "Monster"),
        ("シンゴジラ", "Monster"),
        ("haus", "Homes"),
        ("🎬", "🎬 Emoji 👩‍🚀 Movie"),
        ("🚀", "🎬 Emoji 👩‍🚀 Movie"),
        ("emoji 🎬", "🎬 Emoji 👩‍🚀 Movie"),
    ] {
        assert_eq!(catalogue.find(text).first(), Some(&name), "{text}");
    }
}
