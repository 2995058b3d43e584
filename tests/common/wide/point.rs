//! A presentation with everything.

use super::{blip, diagram, flat, graphic, package, pictures, xml};

const OWN: [&str; 16] = [
    "presentation",
    "sld",
    "sldLayout",
    "sldMaster",
    "notes",
    "notesMaster",
    "handoutMaster",
    "sldId",
    "sldMasterId",
    "sldLayoutId",
    "notesMasterId",
    "handoutMasterId",
    "graphicFrame",
    "timing",
    "cmAuthorLst",
    "cmLst",
];

const MAP: &str = r#"<p:clrMap bg1="lt1" tx1="dk1" bg2="lt2" tx2="dk2" accent1="accent1" accent2="accent2" accent3="accent3" accent4="accent4" accent5="accent5" accent6="accent6" hlink="hlink" folHlink="folHlink"/>"#;

/// Links of each kind, from each of the three elements.
fn links() -> String {
    let mut out = String::new();
    for name in ["hlinkClick", "hlinkHover", "hlinkMouseOver"] {
        out +=
            &format!(r#"<a:{name} r:id="rId6" tgtFrame="x" tooltip="x" history="1" highlightClick="1" endSnd="1"/>"#);
        out += &format!(r#"<a:{name} r:id="rId7" action="ppaction://hlinksldjump"/>"#);
    }
    for jump in ["firstslide", "lastslide", "nextslide", "previousslide", "endshow", "lastslideviewed"] {
        out += &format!(r#"<a:hlinkClick r:id="" action="ppaction://hlinkshowjump?jump={jump}"/>"#);
    }
    out + r#"<a:hlinkClick r:id="" action="ppaction://noaction"/>"#
}

fn tree(inner: &str) -> String {
    format!(r#"<p:cSld><p:spTree>{inner}</p:spTree></p:cSld>"#)
}

pub fn pptx() -> Vec<u8> {
    let frame = |kind: &str, content: &str| format!("<p:graphicFrame>{}</p:graphicFrame>", graphic(kind, content));
    let slide = format!(
        "{}{}{}{}{}{}",
        links(),
        frame("diagram", super::DIAGRAM),
        frame("table", "<a:tbl/>"),
        frame("lockedCanvas", "<lc:lockedCanvas/>"),
        blip("rId5"),
        flat("p", &OWN),
    );
    let presentation = r#"<p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="rId1"/></p:sldMasterIdLst><p:notesMasterIdLst><p:notesMasterId r:id="rId2"/></p:notesMasterIdLst><p:handoutMasterIdLst><p:handoutMasterId r:id="rId3"/></p:handoutMasterIdLst><p:sldIdLst><p:sldId id="256" r:id="rId4"/><p:sldId id="257" r:id="rId5"/></p:sldIdLst><p:sldSz cx="9144000" cy="6858000" type="screen4x3"/><p:notesSz cx="6858000" cy="9144000"/><p:custShowLst><p:custShow name="x" id="0"><p:sldLst><p:sld r:id="rId4" collapse="1"/></p:sldLst></p:custShow></p:custShowLst>"#;
    let timing = r#"<p:timing><p:tnLst><p:par><p:cTn id="1"/></p:par></p:tnLst></p:timing>"#;
    let point = |name: &str| format!("presentationml.{name}");
    let root = |name: &str| format!(r#"p:{name} showMasterSp="1" showMasterPhAnim="1""#);
    let mut parts = vec![
        xml(
            "ppt/presentation.xml",
            &point("presentation.main"),
            r#"p:presentation serverZoom="1" firstSlideNum="1" showSpecialPlsOnTitleSld="1" rtl="1" removePersonalInfoOnSave="1" compatMode="1" strictFirstAndLastChars="1" embedTrueTypeFonts="1" saveSubsetFonts="1" autoCompressPictures="1" bookmarkIdSeed="1" conformance="transitional""#,
            presentation,
            &[
                ("slideMaster", "slideMasters/slideMaster1.xml"),
                ("notesMaster", "notesMasters/notesMaster1.xml"),
                ("handoutMaster", "handoutMasters/handoutMaster1.xml"),
                ("slide", "slides/slide1.xml"),
                ("slide", "slides/slide2.xml"),
                ("presProps", "presProps.xml"),
                ("viewProps", "viewProps.xml"),
                ("tableStyles", "tableStyles.xml"),
                ("commentAuthors", "commentAuthors.xml"),
                ("theme", "theme/theme1.xml"),
            ],
        ),
        xml(
            "ppt/slides/slide1.xml",
            &point("slide"),
            &format!(r#"{} show="1""#, root("sld")),
            &format!("{}{timing}", tree(&slide)),
            &[
                ("diagramData", "../diagrams/data1.xml"),
                ("diagramLayout", "../diagrams/layout1.xml"),
                ("diagramQuickStyle", "../diagrams/quickStyle1.xml"),
                ("diagramColors", "../diagrams/colors1.xml"),
                ("image", "../media/image1.png"),
                ("hyperlink", "https://keep.invalid/"),
                ("slide", "slide2.xml"),
                ("slideLayout", "../slideLayouts/slideLayout1.xml"),
                ("notesSlide", "../notesSlides/notesSlide1.xml"),
                ("comments", "../comments/comment1.xml"),
                ("themeOverride", "../theme/themeOverride1.xml"),
            ],
        ),
        xml(
            "ppt/slides/slide2.xml",
            &point("slide"),
            "p:sld",
            &tree(""),
            &[("slideLayout", "../slideLayouts/slideLayout1.xml")],
        ),
        xml(
            "ppt/slideLayouts/slideLayout1.xml",
            &point("slideLayout"),
            &format!(r#"{} matchingName="x" type="blank" preserve="1" userDrawn="1""#, root("sldLayout")),
            &tree(""),
            &[("slideMaster", "../slideMasters/slideMaster1.xml"), ("themeOverride", "../theme/themeOverride2.xml")],
        ),
        xml(
            "ppt/slideMasters/slideMaster1.xml",
            &point("slideMaster"),
            r#"p:sldMaster preserve="1""#,
            &format!(
                r#"{}{MAP}<p:sldLayoutIdLst><p:sldLayoutId id="2147483649" r:id="rId1"/></p:sldLayoutIdLst>"#,
                tree("")
            ),
            &[("slideLayout", "../slideLayouts/slideLayout1.xml"), ("theme", "../theme/theme1.xml")],
        ),
        xml(
            "ppt/notesMasters/notesMaster1.xml",
            &point("notesMaster"),
            "p:notesMaster",
            &format!("{}{MAP}", tree("")),
            &[("theme", "../theme/theme2.xml")],
        ),
        xml(
            "ppt/handoutMasters/handoutMaster1.xml",
            &point("handoutMaster"),
            "p:handoutMaster",
            &format!("{}{MAP}", tree("")),
            &[("theme", "../theme/theme3.xml")],
        ),
        xml(
            "ppt/notesSlides/notesSlide1.xml",
            &point("notesSlide"),
            &root("notes"),
            &tree(""),
            &[
                ("notesMaster", "../notesMasters/notesMaster1.xml"),
                ("slide", "../slides/slide1.xml"),
                ("themeOverride", "../theme/themeOverride3.xml"),
            ],
        ),
        xml(
            "ppt/comments/comment1.xml",
            &point("comments"),
            "p:cmLst",
            r#"<p:cm authorId="0" dt="2020-01-01" idx="1"><p:pos x="1" y="1"/><p:text>x</p:text></p:cm>"#,
            &[],
        ),
        xml("ppt/commentAuthors.xml", &point("commentAuthors"), "p:cmAuthorLst", "", &[]),
        xml("ppt/presProps.xml", &point("presProps"), "p:presentationPr", "", &[]),
        xml("ppt/viewProps.xml", &point("viewProps"), r#"p:viewPr lastView="sldView" showComments="1""#, "", &[]),
        xml("ppt/tableStyles.xml", &point("tableStyles"), r#"a:tblStyleLst def="x""#, "", &[]),
        xml("ppt/theme/theme1.xml", "theme", r#"a:theme name="t""#, "", &[]),
        xml("ppt/theme/theme2.xml", "theme", r#"a:theme name="t""#, "", &[]),
        xml("ppt/theme/theme3.xml", "theme", r#"a:theme name="t""#, "", &[]),
        xml("ppt/theme/themeOverride1.xml", "themeOverride", "a:themeOverride", "", &[]),
        xml("ppt/theme/themeOverride2.xml", "themeOverride", "a:themeOverride", "", &[]),
        xml("ppt/theme/themeOverride3.xml", "themeOverride", "a:themeOverride", "", &[]),
    ];
    parts.extend(pictures("ppt"));
    parts.extend(diagram("ppt"));
    package(&parts)
}

/// A show or template with a slide.
pub fn small(main: &str) -> Vec<u8> {
    let presentation =
        r#"<p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst><p:notesSz cx="6858000" cy="9144000"/>"#;
    package(&[
        xml("ppt/presentation.xml", main, "p:presentation", presentation, &[("slide", "slides/slide1.xml")]),
        xml("ppt/slides/slide1.xml", "presentationml.slide", "p:sld", &tree(""), &[]),
    ])
}
