use crate::testing::{accept, noise, read, reject, torture};
use model::Format::Gif;
use std::collections::HashMap;

/// LZW by the book: one string table, cleared when it is full.
fn lzw(indices: &[u8], first: u32) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    let clear = 1usize << first;
    let mut put = |code: usize, width: u32| bits.extend((0..width).map(|bit| code >> bit & 1 == 1));
    // Of a string's code and the next index: the code of both.
    let mut table = HashMap::new();
    let mut width = first + 1;
    put(clear, width);
    let (head, tail) = indices.split_first().unwrap();
    let mut string = usize::from(*head);
    for index in tail {
        if let Some(longer) = table.get(&(string, *index)) {
            string = *longer;
            continue;
        }
        put(string, width);
        let next = clear + 2 + table.len();
        table.insert((string, *index), next);
        if next == 4095 {
            put(clear, 12);
            table.clear();
            width = first + 1;
        } else if next == 1 << width {
            width += 1;
        }
        string = usize::from(*index);
    }
    put(string, width);
    // The decoder adds an entry for that last string too.
    if !table.is_empty() && clear + 2 + table.len() == 1 << width && width < 12 {
        width += 1;
    }
    put(clear + 1, width);
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |sum, bit| sum << 1 | u8::from(*bit))).collect()
}

fn blocks(data: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = data.chunks(255).flat_map(|block| [&[block.len() as u8], block].concat()).collect();
    out.push(0);
    out
}

const GCE: [u8; 8] = [0x21, 0xF9, 4, 0b0000_0101, 10, 0, 1, 0];
const LOOP: &[u8] = b"\x21\xFF\x0BNETSCAPE2.0\x03\x01\x05\x00\x00";

/// Screen of 6 x 4 with a global table of `2^bits` colours.
fn screen(bits: u8) -> Vec<u8> {
    let mut out = b"GIF89a\x06\0\x04\0".to_vec();
    out.extend_from_slice(&[0xF0 | (bits - 1), 0, 0]);
    out.resize(out.len() + (3 << bits), 0x55);
    out
}

fn descriptor(place: [u8; 4], packed: u8) -> Vec<u8> {
    [&[0x2C][..], &place.map(|n| [n, 0]).concat(), &[packed]].concat()
}

/// An image of the whole screen that uses the global table.
fn image(bits: u8) -> Vec<u8> {
    let indices = noise(24, 1 << bits);
    [descriptor([0, 0, 6, 4], 0), vec![bits.max(2)], blocks(&lzw(&indices, u32::from(bits.max(2))))].concat()
}

fn file(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn every_kind_is_accepted_and_no_mutation_panics() {
    for bits in 1..=8 {
        accept(&file(&[&screen(bits), &GCE, &image(bits), b";"]), Gif);
    }
    let local = [descriptor([1, 1, 2, 2], 0x80), vec![7; 6], vec![2], blocks(&lzw(&[0, 1, 1, 0], 2))].concat();
    let two = file(&[&screen(2), LOOP, &GCE, &image(2), &GCE, &local, b";"]);
    accept(&two, Gif);
    torture(&two, Gif);
    let mut no_global = b"GIF89a\x06\0\x04\0\x70\0\0".to_vec();
    no_global.extend_from_slice(&GCE);
    reject(&file(&[&no_global, &image(2), b";"]), Gif, "no colour table");
    accept(&file(&[&no_global, &local, b";"]), Gif);
    // Large enough for the table to fill up several times.
    for (spread, table) in [(256, 8), (2, 1), (7, 3)] {
        let mut large = b"GIF89a\xC8\0\xC8\0".to_vec();
        large.extend_from_slice(&[0xF0 | (table - 1), 0, 0]);
        large.resize(large.len() + (3 << table), 0);
        let data = blocks(&lzw(&noise(40_000, spread), u32::from(table.max(2))));
        accept(&file(&[&large, &GCE, &descriptor([0, 0, 200, 200], 0), &[table.max(2)], &data, b";"]), Gif);
    }
}

#[test]
fn img_10_blocks_that_are_not_ours() {
    let (screen, image) = (screen(2), image(2));
    accept(&file(&[&screen, LOOP, &GCE, &image, b";"]), Gif);
    let comment = b"\x21\xFE\x05<?php\0";
    let other = b"\x21\xFF\x0BXMP DataXMP\x01x\0";
    let text = b"\x21\x01\x0C\0\0\0\0\x01\0\x01\0\x08\x08\x01\0\x01x\0";
    for block in [&comment[..], other, text, &GCE, LOOP, b"\0", b"\x3B"] {
        for at in 1..=5 {
            let mut parts = vec![&screen[..], LOOP, &GCE, &image, b";"];
            parts.insert(at, block);
            assert!(read(&file(&parts), Gif).is_err(), "{block:?} at {at}");
        }
    }
    reject(&file(&[&screen, &GCE, &image, LOOP, b";"]), Gif, "expected");
    reject(&file(&[&screen, LOOP, b";"]), Gif, "expected");
    let mut old = file(&[&screen, &GCE, &image, b";"]);
    old[4] = b'7';
    reject(&old, Gif, "header");
    // GIF89a/*: the width is a comment of a script.
    let mut script = file(&[&screen, &GCE, &image, b";"]);
    script[6..8].copy_from_slice(b"/*");
    script.extend_from_slice(b"*/=1;alert(1);");
    reject(&script, Gif, "after the trailer");
}

#[test]
fn fields_have_no_spare_bits() {
    let good = file(&[&screen(2), &GCE, &image(2), b";"]);
    let gce = 13 + 12;
    let image = gce + 8;
    for (at, value, why) in [
        (10, 0xF9, "sorted"),
        (10, 0xE1, "resolution"),
        (11, 4, "background"),
        (12, 1, "aspect"),
        (gce + 3, 0x25, "reserved"),
        (gce + 3, 0x07, "reserved"),
        (gce + 3, 0x11, "reserved"),
        (gce + 3, 0x04, "without its flag"),
        (gce + 7, 1, "descriptor"),
        (image + 1, 1, "outside"),
        (image + 2, 255, "outside"),
        (image + 5, 0, "outside"),
        (image + 9, 0x40, "interlaced"),
        (image + 9, 0x20, "interlaced"),
        (image + 9, 0x01, "interlaced"),
        (image + 10, 3, "minimum code size"),
        (6, 0, "pixels"),
    ] {
        let mut bytes = good.clone();
        bytes[at] = value;
        reject(&bytes, Gif, why);
    }
}

#[test]
fn lzw_gives_exactly_the_image() {
    let with = |data: &[u8]| file(&[&screen(2), &GCE, &descriptor([0, 0, 3, 1], 0), &[2], data, b";"]);
    // Codes of three bits, then four: clear is 4, end 5.
    let codes = |codes: &[(u32, u32)]| {
        let (mut sum, mut at) = (0u64, 0);
        for (code, width) in codes {
            sum |= u64::from(*code) << at;
            at += width;
        }
        sum.to_le_bytes()[..(at as usize).div_ceil(8)].to_vec()
    };
    let good = codes(&[(4, 3), (1, 3), (6, 3), (5, 3)]);
    accept(&with(&blocks(&good)), Gif);
    reject(&with(&blocks(&codes(&[(1, 3), (6, 3), (5, 3)]))), Gif, "clear code expected");
    reject(&with(&blocks(&codes(&[(4, 3), (4, 3), (1, 3), (6, 3), (5, 3)]))), Gif, "after clear");
    reject(&with(&blocks(&codes(&[(4, 3), (6, 3), (6, 3), (5, 3)]))), Gif, "out of range");
    reject(&with(&blocks(&codes(&[(4, 3), (1, 3), (7, 3), (5, 3)]))), Gif, "out of range");
    reject(&with(&blocks(&codes(&[(4, 3), (1, 3), (1, 3), (5, 3)]))), Gif, "fewer pixels");
    reject(&with(&blocks(&codes(&[(4, 3), (1, 3), (6, 3), (1, 3), (5, 4)]))), Gif, "more pixels");
    reject(&with(&blocks(&codes(&[(4, 3), (1, 3)]))), Gif, "ends early");
    reject(&with(&blocks(&[&good[..], b"hidden"].concat())), Gif, "after the end code");
    reject(&with(&blocks(&codes(&[(4, 3), (1, 3), (6, 3), (5, 3), (1, 1)]))), Gif, "padding");
    reject(&with(&[&[1, good[0]][..], &blocks(&good[1..])].concat()), Gif, "short sub-block");
    // One bit an index, but codes of two: 2 and 3 are no colours.
    let one_bit = file(&[&screen(1), &GCE, &descriptor([0, 0, 3, 1], 0), &[2], &blocks(&good), b";"]);
    accept(&one_bit, Gif);
    let outside = blocks(&codes(&[(4, 3), (2, 3), (6, 3), (5, 3)]));
    reject(&file(&[&screen(1), &GCE, &descriptor([0, 0, 3, 1], 0), &[2], &outside, b";"]), Gif, "out of range");
}
