//! What has no switch, and why.

/// What our types have no place for: with or without a decision it cannot be written.
pub(super) const INEXPRESSIBLE: &[(&str, &str)] = &[
    ("text: encodings", "a text is a `String`, written as UTF-8 (TXT-03)"),
    ("text: expressions of SYLK", "a table of ours has values and nothing that computes (CSV-05)"),
    ("ooxml: elements and namespaces out of the tables", "an element is a place in the tables (OOX-21, OOX-22)"),
    ("ooxml: DTD, entities, comments, processing instructions", "the writer knows tags, values and text (OOX-33)"),
    ("ooxml: kinds of part", "a part has a kind of the closed list: no project, OLE object, font, control (OOX-03)"),
    (
        "ooxml: relationship types",
        "a relationship's type is its kind's; the one that leads out is a hyperlink (OOX-08)",
    ),
    ("ooxml: content types, kinds with macros", "the main part's type comes from the format without macros (OOX-34)"),
    ("ooxml: names of parts, ids", "both are counted anew (OOX-02)"),
    ("ooxml: comment boxes", "the boxes of a sheet's comments are generated from its cells (OOX-39)"),
    ("ooxml: prefixes, alternate content", "each namespace has one prefix, and a branch is taken on reading"),
    (
        "pdf: incremental updates, object streams, encryption",
        "the writer writes one revision with a plain table (PDF-03)",
    ),
    ("pdf: codings of a stream", "a stream is deflated or a JPEG of ours (PDF-15 to PDF-19)"),
    ("pdf: inline images", "the writer has no `BI`: an image is an object (PDF-20)"),
    ("pdf: names of resources", "a resource is called by its class and number"),
    ("pdf: XObjects of PostScript", "an XObject is an image or a form of ours (PDF-57)"),
    ("pdf: ICC profiles", "a colour space holds no stream (PDF-75)"),
    ("pdf: base of a CMap", "the name is one of our own list (PDF-73)"),
    ("pdf: pages of other files", "a destination holds the number of an object of ours (PDF-24)"),
    (
        "zip: comments, extra fields, times, attributes, links",
        "the writer has no place for them (ARC-02, ARC-11, ARC-12)",
    ),
    ("zip: two headers that differ", "both are written from one record (ARC-05)"),
    (
        "png: text, EXIF, unknown chunks, trailing bytes",
        "the writer knows seven chunks and writes the end itself (IMG-02)",
    ),
    (
        "jpeg: application segments, comments, thumbnails",
        "the encoder is given samples and a density (IMG-02 to IMG-04)",
    ),
    ("gif: comments, texts, application blocks", "a file is a screen and its frames (IMG-10)"),
    ("bmp: profiles, gaps, embedded pictures", "a picture is rows and a palette (IMG-11)"),
    ("tiff: tags", "a page is the fields of one type (IMG-12)"),
    ("webp: chunks, metadata, places of frames", "frames are drawn on a canvas and cut out of it again (IMG-13)"),
    (
        "pictures: ICC profiles, orientation, thumbnails",
        "both are applied to the samples, and samples are all that is written (IMG-20)",
    ),
];

/// Decisions that hold nothing back which the output could hold.
pub(super) const HARMLESS: &[(&str, &str)] = &[
    ("identification", "it chooses who rebuilds; whoever does, writes its own dialect alone"),
    ("budgets and limits", "they bound work, and what is within them is rebuilt all the same"),
    ("text: byte order mark", "as a character it is held back by TextHidden"),
    ("text: share of control characters", "each of them is held back by TextControls"),
    ("csv: a bare TAB before a value", "where it could begin a formula it separates cells"),
    ("zip: structure and checksums of the input", "what two readers read in two ways comes out as one archive"),
    (
        "zip: names that differ in composition alone",
        "both members are there; the second reader has no tables of Unicode",
    ),
    ("ooxml: references that lead nowhere, empty lists", "the element shows nothing; its id is not written (OOX-22)"),
    ("ooxml: names of sheets that went", "a formula that names one shows an error (OOX-05)"),
    ("pdf: annotations that are hidden", "what they draw is content like any other (PDF-84)"),
    ("pdf: streams of an unknown filter", "their bytes are read as operators, which are filtered (PDF-16)"),
    ("pictures: samples", "any value of a pixel is a picture"),
];
