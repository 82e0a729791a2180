//! Writes MaxMind DB files (format 2.0, maxmind.github.io/MaxMind-DB): as much of the format as a
//! few networks with countries need, so that no database of others has to be kept here.

use std::net::IpAddr;

/// What a record of a node of the search tree points to.
#[derive(Clone, Copy)]
enum Record {
    Nothing,
    Node(usize),
    Data(usize),
}

/// A database that is being written.
pub(super) struct Writer {
    /// 128 bits deep; IPv4 is in `::/96`.
    nodes: Vec<[Record; 2]>,
    data: Vec<u8>,
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    assert!(text.len() < 29, "longer texts have another form");
    bytes.push(0x40 | u8::try_from(text.len()).unwrap());
    bytes.extend(text.as_bytes());
}

fn map(bytes: &mut Vec<u8>, entries: u8) {
    bytes.push(0xe0 | entries);
}

impl Writer {
    /// No networks.
    pub(super) fn new() -> Self {
        Self { nodes: vec![[Record::Nothing; 2]], data: vec![] }
    }

    /// Adds a network, such as `192.0.2.0/24`, with a text at a path of two keys. Networks must not
    /// overlap.
    pub(super) fn network(mut self, network: &str, path: [&str; 2], value: &str) -> Self {
        let (address, length) = network.split_once('/').unwrap();
        let length: usize = length.parse().unwrap();
        let (bits, depth) = match address.parse().unwrap() {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 96 + length),
            IpAddr::V6(address) => (address.to_bits(), length),
        };
        let data = Record::Data(self.data.len());
        map(&mut self.data, 1);
        text(&mut self.data, path[0]);
        map(&mut self.data, 1);
        text(&mut self.data, path[1]);
        text(&mut self.data, value);
        let mut node = 0;
        for bit in 0..depth {
            let side = usize::from(bits >> (127 - bit) & 1 == 1);
            if bit + 1 == depth {
                self.nodes[node][side] = data;
                break;
            }
            node = match self.nodes[node][side] {
                Record::Node(next) => next,
                Record::Nothing => {
                    self.nodes.push([Record::Nothing; 2]);
                    let next = self.nodes.len() - 1;
                    self.nodes[node][side] = Record::Node(next);
                    next
                }
                Record::Data(_) => panic!("{network} is in another network"),
            };
        }
        self
    }

    /// The network is in the country.
    pub(super) fn country(self, network: &str, code: &str) -> Self {
        self.network(network, ["country", "iso_code"], code)
    }

    /// The file.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![];
        for record in self.nodes.iter().flatten() {
            let value = match *record {
                Record::Nothing => self.nodes.len(),
                Record::Node(node) => node,
                Record::Data(at) => self.nodes.len() + 16 + at,
            };
            bytes.extend(&u32::try_from(value).unwrap().to_be_bytes()[1..]);
        }
        bytes.extend([0; 16]);
        bytes.extend(&self.data);
        bytes.extend(b"\xab\xcd\xefMaxMind.com");
        self.metadata(&mut bytes);
        bytes
    }

    fn metadata(&self, bytes: &mut Vec<u8>) {
        map(bytes, 9);
        let short = |bytes: &mut Vec<u8>, name, value| {
            text(bytes, name);
            bytes.extend([0xa1, value]);
        };
        short(bytes, "binary_format_major_version", 2);
        short(bytes, "binary_format_minor_version", 0);
        short(bytes, "ip_version", 6);
        short(bytes, "record_size", 24);
        text(bytes, "node_count");
        bytes.push(0xc4);
        bytes.extend(u32::try_from(self.nodes.len()).unwrap().to_be_bytes());
        text(bytes, "build_epoch");
        bytes.extend([0x08, 2]);
        bytes.extend(1_800_000_000_u64.to_be_bytes());
        text(bytes, "database_type");
        text(bytes, "Playhead-Test-Country");
        text(bytes, "languages");
        bytes.extend([0x01, 4]);
        text(bytes, "en");
        text(bytes, "description");
        map(bytes, 1);
        text(bytes, "en");
        text(bytes, "Made by a test");
    }
}
