//! Formulas of SpreadsheetML (ECMA-376 Part 1, clause 18.17): which may stay (OOX-15, OOX-16, OOX-38).
//!
//! A formula is cut into strings, quoted names, brackets, words and signs. Words before a parenthesis must be functions
//! of the list; nothing may reach out of the book.

use super::link::WebAddress;
use crate::switches::{Filter, off};

/// Worksheet functions that compute from their arguments and the book alone. Sorted.
const FUNCTIONS: &str = "ABS ACCRINT ACCRINTM ACOS ACOSH ACOT ACOTH ADDRESS AGGREGATE AMORDEGRC AMORLINC ANCHORARRAY AND ARABIC AREAS ARRAYTOTEXT ASC ASIN ASINH ATAN ATAN2 ATANH \
AVEDEV AVERAGE AVERAGEA AVERAGEIF AVERAGEIFS BAHTTEXT BASE BESSELI BESSELJ BESSELK BESSELY BETA.DIST BETA.INV BETADIST BETAINV BIN2DEC BIN2HEX BIN2OCT BINOM.DIST BINOM.DIST.RANGE \
BINOM.INV BINOMDIST BITAND BITLSHIFT BITOR BITRSHIFT BITXOR BYCOL BYROW CEILING CEILING.MATH CEILING.PRECISE CELL CHAR CHIDIST CHIINV CHISQ.DIST CHISQ.DIST.RT CHISQ.INV CHISQ.INV.RT \
CHISQ.TEST CHITEST CHOOSE CHOOSECOLS CHOOSEROWS CLEAN CODE COLUMN COLUMNS COMBIN COMBINA COMPLEX CONCAT CONCATENATE CONFIDENCE CONFIDENCE.NORM CONFIDENCE.T CONVERT CORREL COS COSH COT \
COTH COUNT COUNTA COUNTBLANK COUNTIF COUNTIFS COUPDAYBS COUPDAYS COUPDAYSNC COUPNCD COUPNUM COUPPCD COVAR COVARIANCE.P COVARIANCE.S CRITBINOM CSC CSCH CUMIPMT CUMPRINC DATE DATEDIF \
DATESTRING DATEVALUE DAVERAGE DAY DAYS DAYS360 DB DBCS DCOUNT DCOUNTA DDB DEC2BIN DEC2HEX DEC2OCT DECIMAL DEGREES DELTA DEVSQ DGET DISC DMAX DMIN DOLLAR DOLLARDE DOLLARFR DPRODUCT DROP \
DSTDEV DSTDEVP DSUM DURATION DVAR DVARP ECMA.CEILING EDATE EFFECT EOMONTH ERF ERF.PRECISE ERFC ERFC.PRECISE ERROR.TYPE EVEN EXACT EXP EXPAND EXPON.DIST EXPONDIST F.DIST F.DIST.RT F.INV \
F.INV.RT F.TEST FACT FACTDOUBLE FALSE FDIST FILTER FIND FINDB FINV FISHER FISHERINV FIXED FLOOR FLOOR.MATH FLOOR.PRECISE FORECAST FORECAST.ETS FORECAST.ETS.CONFINT \
FORECAST.ETS.SEASONALITY FORECAST.ETS.STAT FORECAST.LINEAR FORMULATEXT FREQUENCY FTEST FV FVSCHEDULE GAMMA GAMMA.DIST GAMMA.INV GAMMADIST GAMMAINV GAMMALN GAMMALN.PRECISE GAUSS GCD GEOMEAN \
GESTEP GETPIVOTDATA GROUPBY GROWTH HARMEAN HEX2BIN HEX2DEC HEX2OCT HLOOKUP HOUR HSTACK HYPERLINK HYPGEOM.DIST HYPGEOMDIST IF IFERROR IFNA IFS IMABS IMAGINARY IMARGUMENT IMCONJUGATE IMCOS \
IMCOSH IMCOT IMCSC IMCSCH IMDIV IMEXP IMLN IMLOG10 IMLOG2 IMPOWER IMPRODUCT IMREAL IMSEC IMSECH IMSIN IMSINH IMSQRT IMSUB IMSUM IMTAN INDEX INDIRECT INT INTERCEPT INTRATE IPMT IRR ISBLANK \
ISERR ISERROR ISEVEN ISFORMULA ISLOGICAL ISNA ISNONTEXT ISNUMBER ISO.CEILING ISODD ISOMITTED ISOWEEKNUM ISPMT ISREF ISTEXT JIS KURT LAMBDA LARGE LCM LEFT LEFTB LEN LENB LET LINEST LN LOG \
LOG10 LOGEST LOGINV LOGNORM.DIST LOGNORM.INV LOGNORMDIST LOOKUP LOWER MAKEARRAY MAP MATCH MAX MAXA MAXIFS MDETERM MDURATION MEDIAN MID MIDB MIN MINA MINIFS MINUTE MINVERSE MIRR MMULT MOD \
MODE MODE.MULT MODE.SNGL MONTH MROUND MULTINOMIAL MUNIT N NA NEGBINOM.DIST NEGBINOMDIST NETWORKDAYS NETWORKDAYS.INTL NOMINAL NORM.DIST NORM.INV NORM.S.DIST NORM.S.INV NORMDIST NORMINV \
NORMSDIST NORMSINV NOT NOW NPER NPV NUMBERSTRING NUMBERVALUE OCT2BIN OCT2DEC OCT2HEX ODD ODDFPRICE ODDFYIELD ODDLPRICE ODDLYIELD OFFSET OR PDURATION PEARSON PERCENTILE PERCENTILE.EXC \
PERCENTILE.INC PERCENTOF PERCENTRANK PERCENTRANK.EXC PERCENTRANK.INC PERMUT PERMUTATIONA PHI PHONETIC PI PIVOTBY PMT POISSON POISSON.DIST POWER PPMT PRICE PRICEDISC PRICEMAT PROB PRODUCT \
PROPER PV QUARTILE QUARTILE.EXC QUARTILE.INC QUOTIENT RADIANS RAND RANDARRAY RANDBETWEEN RANK RANK.AVG RANK.EQ RATE RECEIVED REDUCE REGEXEXTRACT REGEXREPLACE REGEXTEST REPLACE REPLACEB REPT RIGHT RIGHTB \
ROMAN ROUND ROUNDBAHTDOWN ROUNDBAHTUP ROUNDDOWN ROUNDUP ROW ROWS RRI RSQ SCAN SEARCH SEARCHB SEC SECH SECOND SEQUENCE SERIESSUM SHEET SHEETS SIGN SIN SINGLE SINH SKEW SKEW.P SLN SLOPE SMALL \
SORT SORTBY SQRT SQRTPI STANDARDIZE STDEV STDEV.P STDEV.S STDEVA STDEVP STDEVPA STEYX SUBSTITUTE SUBTOTAL SUM SUMIF SUMIFS SUMPRODUCT SUMSQ SUMX2MY2 SUMX2PY2 SUMXMY2 SWITCH SYD T T.DIST \
T.DIST.2T T.DIST.RT T.INV T.INV.2T T.TEST TAKE TAN TANH TBILLEQ TBILLPRICE TBILLYIELD TDIST TEXT TEXTAFTER TEXTBEFORE TEXTJOIN TEXTSPLIT THAIDAYOFWEEK THAIDIGIT THAIMONTHOFYEAR \
THAINUMSOUND THAINUMSTRING THAISTRINGLENGTH THAIYEAR TIME TIMEVALUE TINV TOCOL TODAY TOROW TRANSPOSE TREND TRIM TRIMMEAN TRIMRANGE TRUE TRUNC TTEST TYPE UNICHAR UNICODE UNIQUE UPPER USDOLLAR VALUE \
VALUETOTEXT VAR VAR.P VAR.S VARA VARP VARPA VDB VLOOKUP VSTACK WEEKDAY WEEKNUM WEIBULL WEIBULL.DIST WORKDAY WORKDAY.INTL WRAPCOLS WRAPROWS XIRR XLOOKUP XMATCH XNPV XOR YEAR YEARFRAC \
YEN YIELD YIELDDISC YIELDMAT Z.TEST ZTEST";

static LIST: std::sync::LazyLock<Vec<&'static str>> = std::sync::LazyLock::new(|| {
    let mut list: Vec<&str> = FUNCTIONS.split_whitespace().collect();
    list.sort_unstable();
    list
});

pub(super) fn prepare() {
    std::sync::LazyLock::force(&LIST);
}

/// Words that scanners take for a call wherever they stand, strings included.
const ALARMING: [&str; 9] =
    ["WEBSERVICE", "FILTERXML", "RTD", "CALL", "REGISTER", "EXEC", "DDE", "REGISTER.ID", "EVALUATE"];

/// What formulas of one book may say.
#[derive(Clone, Debug, Default)]
pub struct Grammar {
    /// Names of sheets that are not in the output, in lower case: a formula that names one would break the book.
    pub gone_sheets: Vec<String>,
    /// Whether addresses of the web may stand in `HYPERLINK`.
    pub web: bool,
}

impl Grammar {
    /// Whether the formula may stay as it is.
    #[must_use]
    pub fn allows(&self, formula: &str) -> bool {
        let mut rest = formula;
        let mut before = Before::Sign;
        while let Some(c) = rest.chars().next() {
            let Some(step) = self.step(c, rest, before) else {
                return false;
            };
            (rest, before) = step;
        }
        true
    }

    fn step<'a>(&self, c: char, rest: &'a str, before: Before) -> Option<(&'a str, Before)> {
        let tail = rest.get(c.len_utf8()..)?;
        match c {
            '"' => {
                let (text, after) = quoted(tail, '"')?;
                (!alarming(text) || off(Filter::OoxFormulaStrings)).then_some((after, Before::Sign))
            }
            '\'' => {
                let (name, after) = quoted(tail, '\'')?;
                let inside = !name.contains(['[', ']', '|', '\\', '/']) && !self.is_gone(name);
                let inside = inside && !after.trim_start().starts_with('|') || off(Filter::OoxFormulaSheets);
                inside.then_some((after, Before::Word))
            }
            '[' => match before {
                // A structured reference follows the name of its table.
                Before::Word => bracket(tail).filter(|after| !names_a_book(after)).map(|after| (after, Before::Sign)),
                Before::Sign => off(Filter::OoxFormulaBooks).then_some((tail, Before::Sign)),
            },
            ']' => off(Filter::OoxFormulaBooks).then_some((tail, Before::Word)),
            '|' | '\\' | '`' => off(Filter::OoxFormulaSigns).then_some((tail, Before::Sign)),
            c if c.is_alphanumeric() || c == '_' => self.word(rest),
            c if c.is_control() && !c.is_whitespace() => None,
            _ => Some((tail, Before::Sign)),
        }
    }

    fn word<'a>(&self, rest: &'a str) -> Option<(&'a str, Before)> {
        let end =
            rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '?' | '$'))).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end)?;
        let next = after.trim_start();
        if next.starts_with('(') {
            return self.call(word, next).then_some((after, Before::Word));
        }
        if next.starts_with('!') && self.is_gone(word) {
            return None;
        }
        let number = word.starts_with(|c: char| c.is_ascii_digit());
        Some((after, if number { Before::Sign } else { Before::Word }))
    }

    fn call(&self, word: &str, arguments: &str) -> bool {
        let upper = word.to_ascii_uppercase();
        let bare = upper.strip_prefix("_XLFN.").unwrap_or(&upper);
        let bare = bare.strip_prefix("_XLWS.").unwrap_or(bare);
        if LIST.binary_search(&bare).is_err() && !off(Filter::OoxFunctions) {
            // Numbers, references and names before a parenthesis call nothing: `A1 (B1)` is an intersection.
            return false;
        }
        bare != "HYPERLINK" || off(Filter::OoxFormulaLinks) || self.hyperlink(arguments)
    }

    fn hyperlink(&self, arguments: &str) -> bool {
        let Some(first) = arguments.get(1..).map(str::trim_start).and_then(|a| a.strip_prefix('"')) else {
            return false;
        };
        let Some((target, after)) = quoted(first, '"') else {
            return false;
        };
        // The literal must be the whole argument: `"http://a"&A1` goes wherever A1 says.
        let whole = matches!(after.trim_start().chars().next(), Some(',' | ')'));
        whole && (target.starts_with('#') || (self.web && WebAddress::is_canonical(target)))
    }

    fn is_gone(&self, sheet: &str) -> bool {
        !self.gone_sheets.is_empty() && {
            let low = sheet.replace("''", "'").to_lowercase();
            low.split(':').any(|name| self.gone_sheets.iter().any(|gone| gone == name))
        }
    }
}

/// What stands before a bracket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Word,
    Sign,
}

/// The text up to the closing mark (a doubled one stands for itself), and what follows.
fn quoted(text: &str, mark: char) -> Option<(&str, &str)> {
    let mut from = 0usize;
    loop {
        let at = text.get(from..)?.find(mark)?.checked_add(from)?;
        let after = at.checked_add(1)?;
        if !text.get(after..)?.starts_with(mark) {
            return Some((text.get(..at)?, text.get(after..)?));
        }
        from = after.checked_add(1)?;
    }
}

/// Whether a name or sheet follows a bracket: then it held a book's name.
fn names_a_book(after: &str) -> bool {
    after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '!' | '\''))
}

/// What follows the bracket's end. Brackets nest; `'` escapes a character.
fn bracket(text: &str) -> Option<&str> {
    let mut depth = 1u32;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => {
                chars.next();
            }
            '[' => depth = depth.checked_add(1)?,
            '|' | '\\' => return None,
            ']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(at.checked_add(1)?..);
                }
            }
            _ => {}
        }
    }
    None
}

fn alarming(text: &str) -> bool {
    if text.contains('|') && text.contains('\'') {
        return true;
    }
    if !text.contains('(') {
        return false;
    }
    let upper = text.to_ascii_uppercase();
    upper.split('(').any(|piece| ALARMING.iter().any(|word| piece.trim_end().ends_with(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_of_the_book_stay_and_what_reaches_out_goes() {
        let grammar = Grammar { gone_sheets: vec!["macro1".into()], web: true };
        for good in [
            "SUM(A1:B2)",
            "IF(A1>0,\"a|b\",'My Sheet'!$A$1)",
            "Table1[[#This Row],[Col [x]]]",
            "_xlfn.XLOOKUP(A1,B:B,C:C)",
            "#REF!",
            "1.5E+3*(2+3)",
            "HYPERLINK(\"#Sheet1!A1\",\"x\")",
            "HYPERLINK(\"https://a.example/\")",
            "Sheet1!A1:Sheet2!B2",
            "{1,2;3,4}",
            "SUM( A1 )",
            "-(A1)",
            "'it''s'!A1",
            "Table1[Größe]",
            "_xlfn._xlws.FILTER(A1:A3,B1:B3)",
        ] {
            assert!(grammar.allows(good), "{good}");
        }
        for bad in [
            "WEBSERVICE(\"http://x\")",
            "cmd|'/c calc'!A0",
            "[1]Sheet1!A1",
            "'[1]Sheet 1'!A1",
            "'\\\\host\\[a.xlsx]S'!A1",
            "[0]!Name",
            "HYPERLINK(A1)",
            "HYPERLINK(\"http://x\"&A1)",
            "HYPERLINK(\"file:///x\")",
            "CALL(\"a\")",
            "_xll.Foo()",
            "Macro1!A1",
            "MyFunc(1)",
            "EXEC (\"calc\")",
            "\"open",
            "_xlfn.STOCKHISTORY(A1)",
            "MSEXCEL|'..'!'x'",
            "IF(1,\"CALL(x\",2)",
            "_xlfn.IMAGE(\"x\")",
        ] {
            assert!(!grammar.allows(bad), "{bad}");
        }
    }
}
