//! Rebuilds every file of a folder with one format's reconstructor and says what came of it: for trying a reconstructor
//! out. `rebuild_folder FORMAT IN OUT`
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use model::{Format, Policy, Untrusted};
use sanitizer::{Cx, Quiet};
use std::path::Path;
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, format, from, to] = args.as_slice() else { panic!("rebuild_folder FORMAT IN OUT") };
    let format = Format::from_id(format).unwrap();
    let reconstructor = sanitizer::reconstructor(format).unwrap();
    let policy = Policy::standard();
    std::fs::create_dir_all(to).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(from).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let again = |bytes: &[u8]| {
        Cx::top(&policy, &mut Quiet, |cx| {
            let result = reconstructor.reconstruct(Untrusted::new(bytes), format, cx);
            (result, cx.findings().rows().to_vec())
        })
    };
    for file in files.iter().filter(|f| f.is_file()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(file).unwrap();
        eprintln!("{name}");
        let started = Instant::now();
        let (result, findings) = again(&bytes);
        let ms = started.elapsed().as_secs_f64() * 1e3;
        let found: Vec<String> = findings.iter().map(|f| format!("{}({})", f.id, f.at)).collect();
        match result {
            Ok(rebuilt) => {
                std::fs::write(Path::new(to).join(&name), &rebuilt.bytes).unwrap();
                let (second, more) = again(&rebuilt.bytes);
                let fixed = match second {
                    Ok(second) if second.bytes == rebuilt.bytes => "fixed",
                    Ok(_) => "CHANGES",
                    Err(e) => &format!("REFUSED {e}"),
                };
                let more = if more.is_empty() { "" } else { " MORE-FINDINGS" };
                println!(
                    "ok\t{name}\t{}\t{}\t{ms:.1}\t{fixed}{more}\t{}",
                    bytes.len(),
                    rebuilt.bytes.len(),
                    found.join(" ")
                );
            }
            Err(refusal) => println!("no\t{name}\t{}\t\t{ms:.1}\t{refusal}\t{}", bytes.len(), found.join(" ")),
        }
    }
}
