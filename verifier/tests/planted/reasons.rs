//! Rows without a mutant that must be refused: what is no construct of one file of a dialect, and what a dialect accepts
//! as content, so that the verifier is no defence there.

pub const NOT_PLANTABLE: [(&str, &str); 22] = [
    ("ARC-18", "the mark is set by who unpacks, outside the archive"),
    ("GEN-13", "a property of the medium: one read is copied and hashed at intake"),
    ("GEN-14", "the dialect accepts it: text of any colour and place"),
    ("GEN-16", "samples are content; re-encoding is the sanitizer's, and no single file shows it"),
    ("GEN-18", "a property of the sanitizer, not of a file"),
    ("GEN-19", "the dialect accepts it: pixels are content"),
    ("IMG-06", "coefficients are content; re-encoding is the sanitizer's"),
    ("IMG-09", "pixels are content; re-encoding is the sanitizer's"),
    ("IMG-14", "a format without dialect"),
    ("IMG-16", "a format without dialect"),
    ("IMG-17", "a format without dialect"),
    ("IMG-22", "the dialect accepts it: pixels under full transparency, any order of a palette"),
    ("IMG-23", "pixels are content; re-encoding is the sanitizer's"),
    ("IMG-25", "a demand of fidelity, not a construct"),
    ("NAM-07", "the dialect accepts it: a name of mixed scripts"),
    ("OOX-30", "the dialect accepts it: hidden text, rows and sheets"),
    ("OOX-43", "a format without dialect"),
    ("OOX-45", "a format without dialect"),
    ("PDF-60", "the dialect accepts it: recognised text lies invisible behind scans"),
    ("TXT-05", "the dialect accepts it: long lines and blobs are text"),
    ("TXT-06", "the dialect accepts it: markup in a plain text is text"),
    ("XML-12", "the dialect accepts it: words that another program might take for code"),
];
