//! What the lane costs beside the bare work, in CPU time, by format.
//!
//! `cargo bench --bench bare [-- FOLDER]` (default: a generated stick of 1,000 files). For each format:
//!
//! * **bare**: decode, encode, deflate and SHA-256 with the same crates, in one process, nothing checked;
//! * **rebuild**, **verify**: our two readers, in one process;
//! * **scan**: libyara with our rules over input and output;
//! * **lane**: `sallyport clean` as a whole, all processes, shared out over the files of that format by their report.
//!
//! CPU time and not wall time: the machine may be busy.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "a measurement on files that the developer chose"
)]

use model::{Format, Outcome, Policy, ReportLine, Untrusted};
use sanitizer::Quiet;
use sha2::Digest;
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

#[derive(Default)]
struct Row {
    files: usize,
    bytes: usize,
    bare_ms: f64,
    rebuild_ms: f64,
    verify_ms: f64,
    scan_ms: f64,
    lane_ms: f64,
    peak_mib: u64,
}

fn main() {
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let dir = tempfile::tempdir().unwrap();
    let folder = given.map_or_else(|| stick(dir.path()), PathBuf::from);
    let (lines, lane_ms, wall_s) = lane(&folder, dir.path());
    let policy = Policy::standard();
    let scanner = scanner();
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let jail_ms: f64 = lines.iter().map(|line| line.cpu_ms).sum();
    let overhead_ms = (lane_ms - jail_ms).max(0.0) / lines.len() as f64;
    for line in lines.iter().filter(|line| line.verdict == Outcome::Released) {
        let Ok(bytes) = std::fs::read(folder.join(&line.input)) else { continue };
        let Some(format) = line.format else { continue };
        let row = rows.entry(family(format)).or_default();
        let (cleaned, rebuild_ms) = cpu(|| sanitizer::clean(&line.input, Untrusted::new(&bytes), &policy, &mut Quiet));
        let Ok(made) = cleaned.result else { continue };
        row.files += 1;
        row.bytes += bytes.len();
        row.rebuild_ms += rebuild_ms;
        // The bare crates may panic on what our readers take.
        row.bare_ms += cpu(|| std::panic::catch_unwind(|| bare(format, &bytes)).unwrap_or(0)).1;
        row.verify_ms += cpu(|| verifier::verify(&made.bytes, made.format, &policy).unwrap()).1;
        row.scan_ms +=
            cpu(|| (scanner.serve(&request(&bytes), &bytes), scanner.serve(&request(&made.bytes), &made.bytes))).1;
        row.lane_ms += line.cpu_ms + overhead_ms;
        row.peak_mib = row.peak_mib.max(line.peak_bytes >> 20);
    }
    print(&rows, lines.len(), wall_s, lane_ms, overhead_ms);
}

fn print(rows: &BTreeMap<&str, Row>, inputs: usize, wall_s: f64, lane_ms: f64, overhead_ms: f64) {
    println!(
        "{:<12}{:>7}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>8}",
        "CPU ms/file", "files", "KiB", "bare", "rebuild", "verify", "2 scans", "lane", "allowed", "MB/CPU-s", "peak"
    );
    for (name, row) in rows {
        let each = |total: f64| total / row.files as f64;
        let allowed = each(2.0 * row.bare_ms + row.verify_ms + row.scan_ms) + 4.0;
        println!(
            "{name:<12}{:>7}{:>9.1}{:>9.2}{:>9.2}{:>9.2}{:>9.2}{:>9.2}{:>9.2}{:>9.1}{:>5} MiB",
            row.files,
            row.bytes as f64 / 1024.0 / row.files as f64,
            each(row.bare_ms),
            each(row.rebuild_ms),
            each(row.verify_ms),
            each(row.scan_ms),
            each(row.lane_ms),
            allowed,
            row.bytes as f64 / 1e3 / row.lane_ms,
            row.peak_mib
        );
    }
    println!(
        "lane: {inputs} files in {wall_s:.1} s ({:.0} files/s), {:.1} CPU-s, of it {overhead_ms:.2} ms a file outside the jails",
        inputs as f64 / wall_s,
        lane_ms / 1e3
    );
    println!("allowed = 2 x bare + one verify + two scans + 4 ms for the jails");
}

fn family(format: Format) -> &'static str {
    match format {
        f if f.is_word() => "word",
        f if f.is_excel() => "excel",
        f if f.is_powerpoint() => "powerpoint",
        f => f.id(),
    }
}

/// CPU milliseconds of this thread.
fn cpu<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let now = || {
        std::fs::read_to_string("/proc/thread-self/schedstat")
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse::<f64>()
            .unwrap()
    };
    let before = now();
    let result = work();
    (result, (now() - before) / 1e6)
}

/// The least that must be done to a file: decode it, encode it, hash both.
fn bare(format: Format, bytes: &[u8]) -> usize {
    let made = match format {
        Format::Png => picture(bytes, image::ImageFormat::Png),
        Format::Gif => frames(bytes),
        Format::Bmp => picture(bytes, image::ImageFormat::Bmp),
        Format::Tiff => picture(bytes, image::ImageFormat::Tiff),
        Format::Webp => picture(bytes, image::ImageFormat::WebP),
        Format::Jpeg => jpeg(bytes),
        Format::Pdf => pdf(bytes),
        f if f == Format::Zip || f.is_ooxml() => archive(bytes),
        _ => String::from_utf8_lossy(bytes).into_owned().into_bytes(),
    };
    let sum = |bytes: &[u8]| usize::from(sha2::Sha256::digest(bytes)[0]);
    sum(bytes) + sum(&made) + made.len()
}

fn picture(bytes: &[u8], format: image::ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    if let Ok(picture) = image::load_from_memory(bytes) {
        let _ = picture.write_to(&mut out, format);
    }
    out.into_inner()
}

fn frames(bytes: &[u8]) -> Vec<u8> {
    use image::AnimationDecoder;
    let mut out = Vec::new();
    let Ok(decoder) = image::codecs::gif::GifDecoder::new(Cursor::new(bytes)) else { return out };
    let mut encoder = image::codecs::gif::GifEncoder::new_with_speed(&mut out, 30);
    let _ = encoder.try_encode_frames(decoder.into_frames());
    drop(encoder);
    out
}

fn jpeg(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if let Ok(picture) = image::load_from_memory(bytes) {
        let rgb = picture.to_rgb8();
        let (width, height) = (rgb.width() as u16, rgb.height() as u16);
        let _ = jpeg_encoder::Encoder::new(&mut out, 90).encode(&rgb, width, height, jpeg_encoder::ColorType::Rgb);
    }
    out
}

fn pdf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if let Ok(mut document) = lopdf::Document::load_mem(bytes) {
        document.decompress();
        document.compress();
        let _ = document.save_to(&mut out);
    }
    out
}

fn archive(bytes: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else { return Vec::new() };
    for index in 0..archive.len() {
        let Ok(mut member) = archive.by_index(index) else { continue };
        let mut data = Vec::new();
        let Ok(name) = member.name().map(|name| name.into_owned()) else { continue };
        if member.read_to_end(&mut data).is_ok()
            && writer.start_file(name, zip::write::SimpleFileOptions::default()).is_ok()
        {
            let _ = writer.write_all(&data);
        }
    }
    writer.finish().map(Cursor::into_inner).unwrap_or_default()
}

fn scanner() -> engines::Server {
    let signatures = signatures::Signatures::built_in().unwrap();
    let engines::Home::ScanJail { compile, .. } = engines::descriptor("yara").unwrap().home else { unreachable!() };
    engines::Server::start(b"yara", &compile(&signatures.rules).unwrap()).unwrap()
}

fn request(bytes: &[u8]) -> Vec<u8> {
    engines::Request { len: bytes.len() as u64, timeout_secs: 60 }.encode()
}

/// The program as a person runs it: its report, and CPU and wall time of all its processes.
fn lane(folder: &Path, dir: &Path) -> (Vec<ReportLine>, f64, f64) {
    let report = dir.join("report.jsonl");
    let before = children_ms();
    let started = std::time::Instant::now();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sallyport"));
    command.args(["clean", "--no-fixed-point", "--out"]).arg(dir.join("out")).arg("--report").arg(&report).arg(folder);
    command.env("HOME", dir).stdout(std::process::Stdio::null()).status().unwrap();
    let wall_s = started.elapsed().as_secs_f64();
    let text = std::fs::read_to_string(report).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, children_ms() - before, wall_s)
}

/// CPU milliseconds of all children that were waited for, theirs included (proc(5): cutime and cstime, in 10 ms ticks).
fn children_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[13].parse::<f64>().unwrap() + fields[14].parse::<f64>().unwrap()) * 10.0
}

/// A stick as plants see them: 1,000 files of the kinds that are rebuilt.
fn stick(dir: &Path) -> PathBuf {
    let folder = dir.join("stick");
    let kinds: [(&str, Vec<u8>); 11] = [
        ("txt", samples::text()),
        ("csv", samples::table()),
        ("png", samples::png_with_text()),
        ("jpg", samples::jpeg_with_exif()),
        ("gif", samples::gif()),
        ("bmp", samples::bmp()),
        ("docx", samples::docx()),
        ("xlsx", samples::xlsx()),
        ("pptx", samples::pptx()),
        ("pdf", samples::pdf()),
        ("zip", samples::zip(&[("a.txt", &samples::text()), ("b.png", &samples::png())])),
    ];
    for number in 0..1_000usize {
        let (extension, bytes) = &kinds[number % kinds.len()];
        let sub = folder.join(format!("{}", number / 100));
        std::fs::create_dir_all(&sub).unwrap();
        std::fs::write(sub.join(format!("file-{number}.{extension}")), bytes).unwrap();
    }
    folder
}
