use crate::testing::{accept, reject, torture, zlib};
use model::Format::Tiff;

/// Tag, type, values.
type Field = (u16, u16, Vec<u32>);

#[derive(Clone)]
struct Page {
    fields: Vec<Field>,
    strips: Vec<Vec<u8>>,
}

impl Page {
    fn with(mut self, tag: u16, kind: u16, values: &[u32]) -> Self {
        self.fields.retain(|field| field.0 != tag);
        self.fields.push((tag, kind, values.to_vec()));
        self.fields.sort();
        self
    }

    fn without(mut self, tag: u16) -> Self {
        self.fields.retain(|field| field.0 != tag);
        self
    }
}

/// A page of 10 x 5 in strips of 2 rows.
fn page(photometric: u32, samples: u32, bits: u32) -> Page {
    let row = (10 * samples * bits).div_ceil(8) as usize;
    let strips = [2, 2, 1].map(|rows| zlib(&vec![0; row * rows])).to_vec();
    let page = Page { fields: vec![], strips }
        .with(256, 4, &[10])
        .with(257, 4, &[5])
        .with(258, 3, &vec![bits; samples as usize])
        .with(259, 3, &[8])
        .with(262, 3, &[photometric])
        .with(277, 3, &[samples])
        .with(278, 4, &[2])
        .with(273, 4, &[0; 3])
        .with(279, 4, &[0; 3]);
    let page = if photometric == 3 { page.with(320, 3, &[7; 768]) } else { page };
    if samples.is_multiple_of(2) { page.with(338, 3, &[2]) } else { page }
}

fn file(pages: &[Page]) -> Vec<u8> {
    let mut out = b"II\x2A\0\x08\0\0\0".to_vec();
    for (number, page) in pages.iter().enumerate() {
        let size = |field: &Field| field.2.len() * if field.1 == 3 { 2 } else { 4 };
        let values = out.len() + 6 + 12 * page.fields.len();
        let behind: usize = page.fields.iter().map(size).filter(|size| *size > 4).sum();
        let mut at = values + behind;
        let (mut fields, mut offsets) = (page.fields.clone(), vec![]);
        for strip in &page.strips {
            at += at % 2;
            offsets.push(at as u32);
            at += strip.len();
        }
        for field in &mut fields {
            match field.0 {
                273 if field.2.iter().all(|v| *v == 0) => field.2 = offsets.clone(),
                279 if field.2.iter().all(|v| *v == 0) => {
                    field.2 = page.strips.iter().map(|strip| strip.len() as u32).collect();
                }
                _ => {}
            }
        }
        out.extend_from_slice(&(fields.len() as u16).to_le_bytes());
        let mut later = Vec::new();
        for field in &fields {
            let (tag, kind, numbers) = field;
            out.extend_from_slice(&[tag.to_le_bytes(), kind.to_le_bytes()].concat());
            let count = if *kind == 5 { numbers.len() / 2 } else { numbers.len() };
            out.extend_from_slice(&(count as u32).to_le_bytes());
            let mut bytes: Vec<u8> = Vec::new();
            for number in numbers {
                bytes.extend_from_slice(&number.to_le_bytes()[..if *kind == 3 { 2 } else { 4 }]);
            }
            if bytes.len() > 4 {
                out.extend_from_slice(&((values + later.len()) as u32).to_le_bytes());
                later.extend_from_slice(&bytes);
            } else {
                bytes.resize(4, 0);
                out.extend_from_slice(&bytes);
            }
        }
        let end = at + at % 2;
        let next = if number + 1 == pages.len() { 0 } else { end };
        out.extend_from_slice(&(next as u32).to_le_bytes());
        out.extend_from_slice(&later);
        for strip in &page.strips {
            out.resize(out.len().next_multiple_of(2), 0);
            out.extend_from_slice(strip);
        }
        out.resize(end, 0);
    }
    out
}

fn rgb() -> Page {
    page(2, 3, 8)
}

#[test]
fn every_kind_is_accepted_and_no_mutation_panics() {
    for bits in [8, 16, 32] {
        for (photometric, samples) in [(1, 1), (1, 2), (2, 3), (2, 4)] {
            accept(&file(&[page(photometric, samples, bits)]), Tiff);
        }
    }
    accept(&file(&[page(3, 1, 8)]), Tiff);
    let resolution = rgb().with(282, 5, &[300, 1]).with(283, 5, &[300, 1]).with(296, 3, &[2]);
    let odd = rgb().with(317, 3, &[2]).with(254, 4, &[1]).with(339, 3, &[2, 2, 2]);
    torture(&file(&[page(1, 1, 1), resolution, odd]), Tiff);
}

#[test]
fn img_12_fields_that_are_not_ours() {
    for (tag, kind, values) in [
        (65000, 3, vec![1]),
        (34665, 4, vec![8]),
        (330, 4, vec![8]),
        (34675, 4, vec![1; 9]),
        (270, 3, vec![0x4141; 5]),
        (266, 3, vec![1]),
        (274, 3, vec![1]),
        (256, 3, vec![10]),
        (254, 4, vec![0]),
        (254, 4, vec![4]),
        (258, 3, vec![8, 8]),
        (258, 3, vec![8, 8, 16]),
        (258, 3, vec![4, 4, 4]),
        (259, 3, vec![1]),
        (259, 3, vec![7]),
        (259, 3, vec![50000]),
        (262, 3, vec![6]),
        (262, 3, vec![1]),
        (262, 3, vec![3]),
        (277, 3, vec![4]),
        (278, 4, vec![0]),
        (278, 4, vec![6]),
        (278, 4, vec![1]),
        (282, 5, vec![300, 1]),
        (317, 3, vec![1]),
        (317, 3, vec![3]),
        (320, 3, vec![0; 768]),
        (338, 3, vec![0]),
        (339, 3, vec![1, 1, 1]),
        (339, 3, vec![3, 3, 3]),
        (339, 3, vec![2]),
        (284, 3, vec![2]),
    ] {
        reject(&file(&[rgb().with(tag, kind, &values)]), Tiff, "");
    }
    for tag in [256, 257, 258, 259, 262, 273, 277, 278, 279] {
        reject(&file(&[rgb().without(tag)]), Tiff, "");
    }
    reject(&file(&[page(3, 1, 8).with(317, 3, &[2])]), Tiff, "Predictor");
    reject(&file(&[page(1, 1, 1).with(339, 3, &[2])]), Tiff, "SampleFormat");
    reject(&file(&[page(1, 2, 1)]), Tiff, "BitsPerSample");
    reject(&file(&[page(3, 1, 8).without(320)]), Tiff, "ColorMap");
    let zero = rgb().with(282, 5, &[300, 0]).with(283, 5, &[300, 1]).with(296, 3, &[2]);
    reject(&file(&[zero]), Tiff, "resolution");
    reject(&file(&[rgb().with(256, 4, &[1 << 30])]), Tiff, "pixels");
}

#[test]
fn img_12_gaps_overlaps_and_loops() {
    let good = file(&[rgb(), rgb()]);
    accept(&good, Tiff);
    let link = 8 + 2 + 12 * 9;
    for (value, why) in [(8u32, "next directory"), (0, "after the last page"), (u32::MAX, "next directory")] {
        let mut wrong = good.clone();
        wrong[link..link + 4].copy_from_slice(&value.to_le_bytes());
        reject(&wrong, Tiff, why);
    }
    let strips = |offsets: &[u32]| file(&[rgb().with(273, 4, offsets)]);
    let start = 8 + 6 + 12 * 9 + 6 + 12 + 12;
    let mut len = rgb().strips[0].len() as u32;
    len += len % 2;
    accept(&strips(&[start, start + len, start + 2 * len]), Tiff);
    reject(&strips(&[start, start, start]), Tiff, "gaps");
    reject(&strips(&[start + len, start, start + 2 * len]), Tiff, "gaps");
    reject(&strips(&[start, start + len, u32::MAX]), Tiff, "gaps");
    let mut gap = rgb();
    gap.strips[0].extend_from_slice(b"gap!");
    reject(&file(&[gap]), Tiff, "exactly its rows");
    let mut long = rgb();
    long.strips[2] = zlib(&[0; 31]);
    reject(&file(&[long]), Tiff, "more than its rows");
    let mut short = rgb();
    short.strips[2] = zlib(&[0; 29]);
    reject(&file(&[short]), Tiff, "exactly its rows");
    let mut extra = rgb();
    extra.strips.push(zlib(&[0; 30]));
    reject(&file(&[extra]), Tiff, "number of strips");
    let mut padding = page(1, 1, 1);
    padding.strips[1] = zlib(&[0, 0, 0, 1]);
    reject(&file(&[padding.clone()]), Tiff, "padding bits");
    padding.strips[1] = zlib(&[0, 0, 0, 0x40]);
    accept(&file(&[padding]), Tiff);
    let mut inline = file(&[rgb()]);
    inline[8 + 2 + 12 * 3 + 10] = 1;
    reject(&inline, Tiff, "inline");
    let mut big = file(&[rgb()]);
    big[2] = 43;
    reject(&big, Tiff, "header");
}
