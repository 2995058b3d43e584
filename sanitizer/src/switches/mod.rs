//! A name for every filter, and a switch for each, so that a test can tell whether the second reader needs the first.
//!
//! A filter is a decision that keeps a piece of the input from the writer: an allow-list, a range, a shape, a policy.
//! It asks [`off`] where it decides. In the product that is the constant `false`: there is no feature, variable or
//! argument that could change it. Only this crate's own tests can switch a filter off, one at a time; what then gets
//! through must be refused by the verifier (`tests`).
//!
//! What our types have no place for needs no filter and has none here; `tests::rest` lists it with the reason.

#[cfg(test)]
mod tests;

/// Declares the filters, and for the test a list of them.
macro_rules! filters {
    ($($(#[$says:meta])* $name:ident,)*) => {
        /// The filters, by format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Filter {
            $($(#[$says])* $name,)*
        }

        #[cfg(test)]
        impl Filter {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

filters! {
    /// Control characters of a text (TXT-02).
    TextControls,
    /// Bidi marks, zero-width and tag characters, noncharacters (TXT-01).
    TextHidden,
    /// Joiners that join nothing (TXT-01).
    TextJoiners,
    /// Line ends that only some readers see (TXT-02).
    TextSeparators,
    /// Line ends of more than one style.
    TextLineEnds,
    /// A start that an interpreter goes by (TXT-04).
    TextStart,
    /// A PDF header in the first kilobyte (TXT-04).
    TextPdfHeader,
    /// A mailbox header (TXT-04).
    TextMailbox,
    /// A cell that begins like a formula (CSV-01).
    CsvFormulas,
    /// A formula behind a separator of another country (CSV-01).
    CsvInnerFormulas,
    /// The `sep=` line (CSV-02).
    CsvSeparatorLine,
    /// Quotes that are not closed, or stand inside of a bare cell (CSV-02).
    CsvQuotes,
    /// A value of a SYLK table that begins like a formula (CSV-05).
    SylkFormulas,
    /// Names that lead out, are reserved, or show differently from what they are (ARC-01, ARC-08).
    ZipNames,
    /// Names that a file system takes for one (ARC-07).
    ZipDuplicates,
    /// An extension that is not that of the content (GEN-01).
    ZipExtensions,
    /// Members that could not be cleaned, or were not yet.
    ZipMembers,
    /// Elements that the tables name to drop them (OOX-20 and others).
    OoxElements,
    /// Elements that go while their content stays (OOX-41).
    OoxWrappers,
    /// Elements inside of one that holds text.
    OoxTextElements,
    /// Text in an element that holds none.
    OoxText,
    /// Attributes that the tables don't give an element.
    OoxAttributes,
    /// An attribute twice in one tag (XML 1.0, 3.1).
    OoxAttributeTwice,
    /// Values of `xml:space`.
    OoxSpace,
    /// Attribute values that are no token: addresses above all (GEN-20).
    OoxTokens,
    /// Namespaces in a value that are none of ours.
    OoxUris,
    /// Characters that XML lacks, and those that reorder text (TXT-01).
    OoxCharacters,
    /// A root element that is not its part's.
    OoxRoot,
    /// Parts that nothing in the XML names, at a place where they mean nothing.
    OoxSilentParts,
    /// A second part of a kind that there is one of.
    OoxSecondPart,
    /// A reference to a part of another kind than its element takes.
    OoxTargets,
    /// Comments, where policy removes them (OOX-29).
    OoxComments,
    /// Links, where policy removes them (OOX-10).
    OoxLinks,
    /// Addresses other than of the web and of mail (GEN-20).
    OoxAddresses,
    /// A place in the document that could be taken for an address (OOX-10).
    OoxAnchors,
    /// The same in a sheet.
    OoxLocations,
    /// Click actions other than jumps (OOX-26).
    OoxActions,
    /// Animations with verbs, sounds and films (OOX-26).
    OoxTiming,
    /// Graphics of another kind (OOX-11, OOX-22).
    OoxGraphics,
    /// VML in a text (OOX-39).
    OoxVml,
    /// Pictures as they came (OOX-24).
    OoxPictures,
    /// Pictures of a kind that Office documents don't hold (OOX-24).
    OoxPictureKinds,
    /// Pivot tables over data outside of the book (OOX-17).
    OoxPivots,
    /// Names that Excel runs (OOX-05).
    OoxMacroNames,
    /// Names marked as macros (OOX-05).
    OoxMacroFlags,
    /// Functions that reach out (OOX-16).
    OoxFunctions,
    /// Other books in a formula (OOX-15).
    OoxFormulaBooks,
    /// Other books, servers and paths in the quoted name of a sheet (OOX-15).
    OoxFormulaSheets,
    /// Signs of DDE and of paths (OOX-15).
    OoxFormulaSigns,
    /// Strings that read like a call (OOX-38).
    OoxFormulaStrings,
    /// Targets of `HYPERLINK` in a formula (OOX-10).
    OoxFormulaLinks,
    /// Field codes that reach out (OOX-13, OOX-14).
    OoxFieldCodes,
    /// Targets of `HYPERLINK` fields (OOX-10).
    OoxFieldLinks,
    /// Addresses in other fields (OOX-14).
    OoxFieldAddresses,
    /// Fields inside of an instruction that they could become (OOX-14).
    OoxFieldNesting,
    /// Instructions cut in pieces (OOX-14).
    OoxFieldPieces,
    /// Instructions outside of a field.
    OoxFieldStrays,
    /// Fields without an end.
    OoxFieldEnds,
    /// Keys that a dictionary of ours does not have: actions, files, metadata and all else (PDF-35 to PDF-83).
    PdfKeys,
    /// Actions other than to go to a page or the web (PDF-21 to PDF-33).
    PdfActions,
    /// Annotations other than links (PDF-44, PDF-48, PDF-50).
    PdfAnnotations,
    /// Links, where policy removes them (PDF-23).
    PdfLinks,
    /// Addresses other than of the web and of mail (PDF-23).
    PdfSchemes,
    /// Bytes that no address has.
    PdfAddresses,
    /// Colours and areas of a link.
    PdfLinkLook,
    /// Names out of a closed list.
    PdfChoices,
    /// Names with a zero, or longer than a reader takes.
    PdfNames,
    /// Strings longer than a reader takes.
    PdfStrings,
    /// Numbers that no reader takes.
    PdfNumbers,
    /// Lists of another length than their key has.
    PdfLengths,
    /// Languages.
    PdfLanguage,
    /// A crop box beyond the page.
    PdfBoxes,
    /// Turns by other than a quarter.
    PdfRotation,
    /// Units of nothing, or of a house.
    PdfUserUnit,
    /// Numbers that page labels begin with.
    PdfLabels,
    /// Layers that are in no list (PDF-59).
    PdfLayers,
    /// Ranges of a graphics state.
    PdfStates,
    /// Blend modes.
    PdfBlendModes,
    /// Steps and kinds of a tiling.
    PdfTiling,
    /// Operators that are not of the standard (PDF-78).
    PdfOperators,
    /// Marked content that is no layer.
    PdfMarks,
    /// States and texts that are closed without being open.
    PdfBalance,
    /// Operands of another number than the operator takes.
    PdfOperands,
    /// Operands out of range.
    PdfOperandRanges,
    /// Widths of glyphs where there is none.
    PdfGlyphs,
    /// Drawings without an end.
    PdfDrawn,
    /// Forms that draw themselves.
    PdfCycles,
    /// Colour keys and mattes of another space.
    PdfMasks,
    /// Depths that no sample has.
    PdfSampleBits,
    /// Samples that are fewer than the picture takes.
    PdfSampleCounts,
    /// Spaces on a space that can bear none.
    PdfBaseSpaces,
    /// Palettes of another length.
    PdfPalettes,
    /// Depths of a mesh.
    PdfMeshes,
    /// Functions of another shape than their place has (PDF-76).
    PdfFunctionShapes,
    /// Functions stitched to others of another shape.
    PdfStitching,
    /// Values of an exponential function.
    PdfFunctionValues,
    /// Operators of PostScript that compute nothing (PDF-77).
    PdfCalculator,
    /// Branches without their blocks.
    PdfBranches,
    /// Names of fonts that are paths (PDF-74).
    PdfFontNames,
    /// Font programs of no known kind (PDF-74).
    PdfFontPrograms,
    /// Tables that no viewer of PDF needs (PDF-70).
    PdfFontTables,
    /// Fonts without the tables that they need.
    PdfFontParts,
    /// Compact fonts whose offsets lead out (PDF-71).
    PdfCff,
    /// Names of encodings.
    PdfEncodings,
    /// Codes over a byte.
    PdfCodes,
    /// Character collections.
    PdfCollections,
    /// Names of CMaps.
    PdfCMapNames,
    /// Codes of a CMap.
    PdfCMapCodes,
    /// Characters of a CMap.
    PdfCMapTargets,
    /// CIDs of a CMap.
    PdfCMapCids,
    /// Ranges of a CMap.
    PdfCMapRanges,
    /// Objects that nothing refers to.
    PdfOrphans,
    /// Transparency for more than there is.
    PngTransparency,
    /// Indices that the palette lacks.
    PngPalette,
    /// Bits that only fill a byte.
    PngPadding,
    /// Exponents of no display.
    PngGamma,
    /// Points outside of the diagram.
    PngPoints,
    /// Densities of nothing, or in no unit.
    JpegDensity,
    /// Disposals without a meaning.
    GifDisposal,
    /// Indices that the table lacks.
    GifPalette,
    /// A background that the table lacks.
    GifBackground,
    /// Frames that leave the canvas.
    GifCanvas,
    /// Indices that the palette lacks.
    BmpPalette,
    /// Resolutions below zero.
    BmpResolution,
    /// Kinds of page that mean nothing.
    TiffSubfile,
    /// Resolutions of nothing, or in no unit.
    TiffResolution,
}

/// Whether a filter is switched off: never, and known to be so when this is compiled.
#[cfg(not(test))]
#[inline]
pub(crate) const fn off(_: Filter) -> bool {
    false
}

/// Whether a filter is switched off on this thread.
#[cfg(test)]
pub(crate) fn off(filter: Filter) -> bool {
    tests::OFF.get() == Some(filter)
}
