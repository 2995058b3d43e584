//! What a large rule set costs: compiling, loading, memory and speed, beside our own rules.
//!
//! `measure_rules [NUMBER OF RULES [FILE]]`, 8,000 if not said, writes the compiled rules to FILE; `measure_rules load
//! FILE` loads them into a fresh process, as a scan jail does, which shows the memory they take. The rules are made up, in the shapes that public sets have:
//! texts in several encodings, bytes with gaps, and regular expressions.
#![expect(clippy::expect_used, reason = "a tool for development: it may stop")]

use engines::Resident;
use engines::yara::{compile, load};
use model::Untrusted;
use signatures::{RuleSet, Signatures, Source};
use std::fmt::Write;
use std::time::Instant;

/// Numbers that look random and are the same every time (Knuth, MMIX).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn word(&mut self, len: usize) -> String {
        const LETTERS: [char; 32] = [
            'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u',
            'v', 'w', 'x', 'y', 'z', '_', '0', '1', '2', '3', '4',
        ];
        (0..len).filter_map(|_| LETTERS.get(usize::try_from(self.next() % 32).ok()?)).collect()
    }
}

fn generated_rules(count: usize) -> RuleSet {
    let mut numbers = Numbers(1);
    let mut text = String::new();
    for i in 0..count {
        let (a, b, c, d) = (numbers.word(14), numbers.word(22), numbers.word(9), numbers.word(8));
        let [h0, h1, h2, h3, h4] = [0; 5].map(|_| numbers.next() & 0xff);
        write!(
            text,
            "rule generated_{i} {{ meta: severity = \"suspicious\" description = \"{b}\" strings:\n\
             $a = \"{a}\" ascii wide nocase\n$b = \"{b}\" fullword\n$c = /{c}[0-9a-f]{{4,12}}\\.{d}/\n\
             $d = {{ {h0:02x} {h1:02x} 8b {h2:02x} ?? ?? {h3:02x} [2-6] {h4:02x} e8 }}\n\
             condition: 2 of them or (uint16(0) == 0x5a4d and $d) }}\n"
        )
        .expect("a String takes it");
    }
    RuleSet::new("generated", "2026-01-31", vec![Source { name: "generated".to_owned(), text }]).expect("a rule set")
}

/// Resident memory in MB, from the kernel's own count.
fn resident_mb() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("statm");
    let pages: u64 = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number");
    pages.saturating_mul(4096) >> 20
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

fn measure(name: &str, set: &RuleSet, objects: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let start = Instant::now();
    let compiled = compile(set).expect("rules compile");
    println!("{name}: compiled in {:.0} ms to {} KB", ms(start), compiled.len() >> 10);
    scan_all(&compiled, objects);
    compiled
}

fn scan_all(compiled: &[u8], objects: &[(&str, Vec<u8>)]) {
    let before = resident_mb();
    let start = Instant::now();
    let rules = load(compiled).expect("rules load");
    let load_ms = ms(start);
    let more = resident_mb().saturating_sub(before);
    println!("  {} rules, loaded in {load_ms:.1} ms, {more} MB more resident", rules.rule_count());
    for (kind, object) in objects {
        let start = Instant::now();
        let answer = rules.scan(Untrusted::new(object), 600);
        let took = ms(start);
        let rate = object.len() as f64 / 1000.0 / took;
        println!("  {kind}, {} KB: {took:.3} ms, {rate:.0} MB/s, {:?}", object.len() >> 10, answer.verdict());
    }
}

fn objects() -> [(&'static str, Vec<u8>); 4] {
    let mut numbers = Numbers(7);
    let noise: Vec<u8> = (0..32 << 20).map(|_| u8::try_from(numbers.next() & 0xff).unwrap_or(0)).collect();
    let text: Vec<u8> = (0..4 << 20).flat_map(|_| [&numbers.word(7), " "].concat().into_bytes()).collect();
    [("noise", noise), ("words", text), ("zeros", vec![0; 32 << 20]), ("a small file", vec![b'x'; 20_000])]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["load", file] = arguments.as_slice() {
        return scan_all(&std::fs::read(file).expect("file"), &[]);
    }
    let count = arguments.first().map_or(8_000, |n| n.parse().expect("a number of rules"));
    let objects = objects();
    measure("our own", &Signatures::built_in().expect("signatures").rules, &objects);
    let compiled = measure("generated", &generated_rules(count), &objects);
    if let Some(file) = arguments.get(1) {
        std::fs::write(file, compiled).expect("file");
    }
}
