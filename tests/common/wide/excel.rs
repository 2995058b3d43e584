//! A workbook with everything.

use super::{blip, chart, flat, graphic, package, pictures, source, xml};

const OWN: [&str; 15] = [
    "workbook",
    "worksheet",
    "sheetData",
    "row",
    "c",
    "f",
    "sheets",
    "hyperlink",
    "drawing",
    "legacyDrawing",
    "picture",
    "tablePart",
    "pivotCache",
    "pivotCacheDefinition",
    "definedName",
];

/// Formulas: each function, and each form of a token.
fn formulas() -> Vec<String> {
    let text = source("ooxml/functions.rs");
    let names = text.split_once("const NAMES: &str = \"").unwrap().1.split_once("\";").unwrap().0;
    let mut formulas: Vec<String> =
        names.split_whitespace().filter(|name| *name != "HYPERLINK").map(|name| format!("{name}(1)")).collect();
    let more = [
        "_xlfn.XLOOKUP(A1,B:B,C:C)",
        "_xlfn._xlws.FILTER(A1:A2,A1:A2)",
        "sum(A1)",
        "HYPERLINK(\"#Sheet1!A1\")",
        "HYPERLINK(\"https://keep.invalid/\",\"x\")",
        "'My sheet'!$A$1+Pumps!B2",
        "Table1[[#All],[Col '[1]]",
        "1.5E+3*2e5*1e-2",
        "A1&\"x\"\"y\"",
        "SUM(A1:B2 (A1:A2))",
        "#REF!",
        "#N/A",
        "#NAME?",
        "#VALUE!",
        "#DIV/0!",
        "#NUM!",
        "#NULL!",
        "#GETTING_DATA",
        "#SPILL!",
        "A1#",
        "{1,2;3,4}",
        "_x+1",
        "A1&A2&A3",
    ];
    formulas.extend(more.map(str::to_owned));
    formulas
}

fn cells() -> String {
    let mut out = String::new();
    for (n, formula) in (1..).zip(formulas()) {
        let formula = formula.replace('&', "&amp;");
        out += &format!(r#"<row r="{n}"><c r="A{n}"><f>{formula}</f><v>1</v></c></row>"#);
    }
    out
}

pub fn xlsx() -> Vec<u8> {
    let cells = format!(
        r#"<row r="5000" spans="1:2" s="0" customFormat="1" ht="1" hidden="1" customHeight="1" outlineLevel="1" collapsed="1" thickTop="1" thickBot="1" ph="1"><c r="A5000" s="0" t="n" cm="1" vm="1" ph="1"><f t="shared" aca="1" ref="A1" dt2D="1" dtr="1" del1="1" del2="1" r1="A1" r2="A1" ca="1" si="0" bx="1" xml:space="preserve">1</f><v>1</v></c></row>{}"#,
        cells()
    );
    let sheet = format!(
        r#"<sheetData>{cells}</sheetData>{}<hyperlinks><hyperlink ref="A1" r:id="rId1" location="x" tooltip="x" display="x"/></hyperlinks><drawing r:id="rId2"/><legacyDrawing r:id="rId6"/><picture r:id="rId3"/><tableParts count="1"><tablePart r:id="rId4"/></tableParts>"#,
        flat("s", &OWN)
    );
    let names: String = [
        "print_area",
        "print_titles",
        "criteria",
        "extract",
        "_filterdatabase",
        "database",
        "consolidate_area",
        "sheet_title",
    ]
    .iter()
    .map(|name| format!(r#"<definedName name="_xlnm.{name}" localSheetId="0">Pumps!$A$1</definedName>"#))
    .collect();
    let workbook = format!(
        r#"<sheets><sheet name="Pumps" sheetId="1" state="visible" r:id="rId1"/><sheet name="Chart" sheetId="2" r:id="rId2"/></sheets><definedNames>{names}<definedName name="x" comment="x" customMenu="x" description="x" help="x" statusBar="x" localSheetId="0" hidden="0" publishToServer="1" shortcutKey="x" workbookParameter="1" functionGroupId="1" xml:space="preserve">1</definedName></definedNames><pivotCaches><pivotCache cacheId="1" r:id="rId3"/></pivotCaches>"#
    );
    let anchors = format!(
        r#"{}<xdr:twoCellAnchor><xdr:graphicFrame>{}</xdr:graphicFrame></xdr:twoCellAnchor><xdr:twoCellAnchor><xdr:pic>{}</xdr:pic></xdr:twoCellAnchor>"#,
        flat("xdr", &["wsDr"]),
        graphic("chart", r#"<c:chart r:id="rId1"/>"#),
        blip("rId2"),
    );
    let mut parts = vec![
        xml(
            "xl/workbook.xml",
            "spreadsheetml.sheet.main",
            "workbook",
            &workbook,
            &[
                ("worksheet", "worksheets/sheet1.xml"),
                ("chartsheet", "chartsheets/sheet1.xml"),
                ("pivotCacheDefinition", "pivotCache/pivotCacheDefinition1.xml"),
                ("styles", "styles.xml"),
                ("sharedStrings", "sharedStrings.xml"),
                ("theme", "theme/theme1.xml"),
            ],
        ),
        xml(
            "xl/worksheets/sheet1.xml",
            "spreadsheetml.worksheet",
            "worksheet",
            &sheet,
            &[
                ("hyperlink", "mailto:pumps@keep.invalid"),
                ("drawing", "../drawings/drawing1.xml"),
                ("image", "../media/image1.png"),
                ("table", "../tables/table1.xml"),
                ("comments", "../comments1.xml"),
                ("vmlDrawing", "../drawings/vmlDrawing1.vml"),
                ("pivotTable", "../pivotTables/pivotTable1.xml"),
            ],
        ),
        xml(
            "xl/chartsheets/sheet1.xml",
            "spreadsheetml.chartsheet",
            "chartsheet",
            r#"<drawing r:id="rId1"/>"#,
            &[("drawing", "../drawings/drawing2.xml")],
        ),
        xml(
            "xl/drawings/drawing1.xml",
            "drawing",
            "xdr:wsDr",
            &anchors,
            &[("chart", "../charts/chart1.xml"), ("image", "../media/image2.jpg")],
        ),
        xml("xl/drawings/drawing2.xml", "drawing", "xdr:wsDr", "", &[]),
        xml(
            "xl/tables/table1.xml",
            "spreadsheetml.table",
            r#"table id="1" name="T" displayName="T" ref="A1:B2""#,
            "",
            &[],
        ),
        xml(
            "xl/comments1.xml",
            "spreadsheetml.comments",
            "comments",
            r#"<authors><author>x</author></authors><commentList><comment ref="B2" authorId="0"><text><t>x</t></text></comment><comment ref="AA10" authorId="0"><text><t>x</t></text></comment></commentList>"#,
            &[],
        ),
        xml(
            "xl/pivotTables/pivotTable1.xml",
            "spreadsheetml.pivotTable",
            r#"pivotTableDefinition name="P" cacheId="1" dataCaption="x""#,
            "",
            &[("pivotCacheDefinition", "../pivotCache/pivotCacheDefinition1.xml")],
        ),
        xml(
            "xl/pivotCache/pivotCacheDefinition1.xml",
            "spreadsheetml.pivotCacheDefinition",
            r#"pivotCacheDefinition r:id="rId1" invalid="1" saveData="1" optimizeMemory="1" enableRefresh="1" refreshedBy="x" refreshedDate="1" refreshedDateIso="1" backgroundQuery="1" missingItemsLimit="1" createdVersion="1" refreshedVersion="1" minRefreshableVersion="1" recordCount="1" upgradeOnRefresh="1" tupleCache="1" supportSubquery="1" supportAdvancedDrill="1""#,
            r#"<cacheSource type="worksheet"><worksheetSource ref="A1:B2" sheet="Pumps"/></cacheSource>"#,
            &[("pivotCacheRecords", "pivotCacheRecords1.xml")],
        ),
        xml(
            "xl/pivotCache/pivotCacheRecords1.xml",
            "spreadsheetml.pivotCacheRecords",
            r#"pivotCacheRecords count="0""#,
            "",
            &[],
        ),
        xml("xl/styles.xml", "spreadsheetml.styles", "styleSheet", "", &[]),
        xml("xl/sharedStrings.xml", "spreadsheetml.sharedStrings", "sst", "", &[]),
        xml("xl/theme/theme1.xml", "theme", r#"a:theme name="t""#, "", &[]),
    ];
    parts.extend(pictures("xl"));
    parts.extend(chart("xl/charts/chart1.xml", "xl/theme/themeOverride1.xml", "xl/drawings/userShapes1.xml"));
    package(&parts)
}
