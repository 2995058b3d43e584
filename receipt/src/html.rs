//! The receipt as one HTML file that fetches nothing and runs nothing.

use crate::Receipt;
use crate::compose::{Block, Entry, Mark, blocks, title};
use crate::qr::Modules;
use std::fmt::Write;

/// Dark on light, large enough for a wall terminal, and good on paper.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;color:#111;background:#fff;max-width:62rem;margin:2rem auto;\
padding:0 1rem}h1{font-size:1.6rem}h2{border-top:2px solid #111;padding-top:.6rem;margin-top:2rem}\
header{display:flex;justify-content:space-between;gap:2rem}.qr{width:11rem;flex:none}\
.tally{display:flex;flex-wrap:wrap;gap:2.5rem;font-size:1.1rem}.tally b{display:block;font-size:2.4rem;line-height:1.1}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem}dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}\
article{margin:.9rem 0;break-inside:avoid}article h3{margin:0;font-size:1.05rem;overflow-wrap:anywhere}\
ul{margin:.2rem 0 .2rem 1.2rem;padding:0}.digest,pre{font:12px/1.4 ui-monospace,monospace;color:#333;overflow-wrap:anywhere;\
white-space:pre-wrap}.released{color:#0b5128}.held{color:#8a1410}";

/// Draws it.
#[must_use]
pub fn html(receipt: &Receipt) -> String {
    let title = escaped(&title(receipt));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style></head>\n<body><header><h1>{title}\
         </h1>\n{}</header>\n",
        qr(&receipt.checkpoint)
    );
    for block in blocks(receipt) {
        draw(&mut out, &block);
    }
    out.push_str("</body></html>\n");
    out
}

fn draw(out: &mut String, block: &Block) {
    // Writing to a string does not fail.
    let _ = match block {
        Block::Heading(text) => writeln!(out, "<h2>{}</h2>", escaped(text)),
        Block::Text(text) => writeln!(out, "<p>{}</p>", escaped(text)),
        Block::Mono(text) => writeln!(out, "<pre>{}</pre>", text.lines().map(escaped).collect::<Vec<_>>().join("\n")),
        Block::Tally(numbers) => {
            writeln!(out, "<div class=\"tally\">{}</div>", numbers.iter().map(number).collect::<String>())
        }
        Block::Facts(facts) => writeln!(out, "<dl>{}</dl>", facts.iter().map(fact).collect::<String>()),
        Block::Entry(file) => writeln!(out, "{}", entry(file)),
    };
}

fn number((mark, count, words): &(Mark, usize, String)) -> String {
    format!("<div class=\"{}\"><b>{} {count}</b>{}</div>", class(*mark), mark.sign(), escaped(words))
}

fn fact((label, value): &(String, String)) -> String {
    format!("<dt>{}</dt><dd>{}</dd>\n", escaped(label), escaped(value))
}

fn entry(entry: &Entry) -> String {
    let notes: String = entry.notes.iter().map(|note| format!("<li>{}</li>", escaped(note))).collect();
    let digests: String =
        entry.digests.iter().map(|digest| format!("<div class=\"digest\">{}</div>", escaped(digest))).collect();
    let (class, sign, name) = (class(entry.mark), entry.mark.sign(), escaped(&entry.name));
    // A name in a script from right to left must not turn the line around.
    format!("<article><h3 class=\"{class}\">{sign} <bdi>{name}</bdi></h3><ul>{notes}</ul>{digests}</article>")
}

const fn class(mark: Mark) -> &'static str {
    match mark {
        Mark::Released => "released",
        Mark::Held => "held",
        Mark::Plain => "plain",
    }
}

fn qr(text: &str) -> String {
    let Some(modules) = Modules::of(text) else { return String::new() };
    // The quiet zone is four modules wide (ISO/IEC 18004, 6.3.8).
    let side = modules.width.saturating_add(8);
    let path: String = modules
        .runs()
        .iter()
        .map(|(y, x, len)| format!("M{} {}h{len}v1h-{len}z", x.saturating_add(4), y.saturating_add(4)))
        .collect();
    format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"Checkpoint of the journal as a QR code\" \
         shape-rendering=\"crispEdges\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\"/></svg>"
    )
}

/// Foreign text as text: no tag, no entity, no control character, no mark that turns the line around.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in model::shown(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}
