//! Colour spaces and functions (ISO 32000-1, 7.10, 8.6).

use super::calculator;
use super::file::{Filter, Loaded};
use super::graph::{Facts, Graph, Kind, Shape, Space};
use super::value::{Dict, Value};
use crate::Rejection;

/// Colour spaces in colour spaces.
const NESTED: u8 = 4;
/// Type 3 functions in each other.
const FUNCTIONS: u8 = 8;
/// Components of DeviceN, and functions of an array.
const MOST: usize = 32;

impl Graph<'_, '_> {
    /// 8.6, as an object: an array.
    pub(super) fn colour_object(&mut self, id: u32) -> Result<Facts, Rejection> {
        let (at, elements) = self.load_array(id)?;
        self.family(at, &elements, 1).map(Facts::Colour)
    }

    /// By name or direct array.
    pub(super) fn direct_colour(&mut self, at: usize, value: &Value<'_>) -> Result<Space, Rejection> {
        self.nested_colour(at, value, 1)
    }

    /// By name or reference.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not named is rejected")]
    pub(super) fn colour_or_ref(&mut self, at: usize, value: &Value<'_>) -> Result<Space, Rejection> {
        match value {
            Value::Ref(id) => match self.visit(*id, Kind::Colour)? {
                Facts::Colour(space) => Ok(space),
                _ => Err(Rejection::new(at, "8.6: colour space")),
            },
            Value::Name(_) => self.nested_colour(at, value, 1),
            _ => Err(Rejection::new(at, "dialect §2: colour space by name or reference")),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not named is rejected")]
    fn nested_colour(&mut self, at: usize, value: &Value<'_>, depth: u8) -> Result<Space, Rejection> {
        match value {
            Value::Name(b"DeviceGray") => Ok(Space::Grey),
            Value::Name(b"DeviceRGB") => Ok(Space::Rgb),
            Value::Name(b"DeviceCMYK") => Ok(Space::Of(4)),
            Value::Array(elements) => self.family(at, elements, depth),
            _ => Err(Rejection::new(at, "8.6.3: colour space family (PDF-75)")),
        }
    }

    fn family(&mut self, at: usize, elements: &[Value<'_>], depth: u8) -> Result<Space, Rejection> {
        let bad = |rule: &str| Rejection::new(at, rule);
        if depth > NESTED {
            return Err(bad("dialect §3: colour spaces nested more than 4 deep"));
        }
        let below = depth.saturating_add(1);
        match elements {
            [Value::Name(family @ (b"CalGray" | b"CalRGB" | b"Lab")), Value::Dict(dict)] => {
                measured(family, dict.clone())
            }
            [Value::Name(b"Indexed"), base, Value::Int(high @ 0..=255), Value::Str(table)] => {
                let base = self.nested_colour(at, base, below)?;
                let entries = usize::try_from(*high).unwrap_or_default().saturating_add(1);
                let fits = table.len() == entries.saturating_mul(base.components()).saturating_mul(2);
                if matches!(base, Space::Pattern | Space::Indexed) || !fits {
                    return Err(bad("8.6.6.3: Indexed: base and length of the table"));
                }
                Ok(Space::Indexed)
            }
            [Value::Name(b"Separation"), Value::Name(_), alternate, Value::Ref(function)] => {
                let outputs = self.alternate(at, alternate, below)?;
                self.transform(*function, 1, outputs)?;
                Ok(Space::Of(1))
            }
            [Value::Name(b"DeviceN"), Value::Array(names), alternate, Value::Ref(function)] => {
                if !(1..=MOST).contains(&names.len()) || names.iter().any(|n| n.name().is_none()) {
                    return Err(bad("8.6.6.5: DeviceN: 1 to 32 names"));
                }
                let outputs = self.alternate(at, alternate, below)?;
                self.transform(*function, names.len(), outputs)?;
                Ok(Space::Of(names.len()))
            }
            [Value::Name(b"Pattern"), base] => match self.nested_colour(at, base, below)? {
                Space::Pattern => Err(bad("8.6.6.2: Pattern over Pattern")),
                Space::Grey | Space::Rgb | Space::Indexed | Space::Of(_) => Ok(Space::Pattern),
            },
            _ => Err(bad("dialect §3: colour space")),
        }
    }

    /// How many components the alternate space has.
    fn alternate(&mut self, at: usize, value: &Value<'_>, depth: u8) -> Result<usize, Rejection> {
        match self.nested_colour(at, value, depth)? {
            Space::Pattern | Space::Indexed => Err(Rejection::new(at, "8.6.6.4: alternate space")),
            space @ (Space::Grey | Space::Rgb | Space::Of(_)) => Ok(space.components()),
        }
    }

    /// A function of so many inputs and outputs: a reader must not run past what either of them has.
    pub(super) fn transform(&mut self, id: u32, inputs: usize, outputs: usize) -> Result<(), Rejection> {
        let facts = self.visit(id, Kind::Function)?;
        if matches!(facts, Facts::Function(shape) if (shape.inputs, shape.outputs) == (inputs, outputs)) {
            return Ok(());
        }
        Err(Rejection::new(
            0,
            format!("7.10: function {id} of {inputs} inputs and {outputs} outputs expected (PDF-76)"),
        ))
    }

    /// A function of so many inputs and outputs, or as many functions of one output each.
    pub(super) fn functions(
        &mut self,
        at: usize,
        value: &Value<'_>,
        inputs: usize,
        outputs: usize,
    ) -> Result<(), Rejection> {
        let bad =
            || Rejection::new(at, "7.10: a reference to a function, or an array of as many as there are components");
        if let Value::Ref(id) = value {
            return self.transform(*id, inputs, outputs);
        }
        let ids = value.array().filter(|ids| ids.len() == outputs && (1..=MOST).contains(&outputs)).ok_or_else(bad)?;
        for id in ids {
            self.transform(id.reference().ok_or_else(bad)?, inputs, 1)?;
        }
        Ok(())
    }

    /// 7.10.
    pub(super) fn function(&mut self, id: u32) -> Result<Facts, Rejection> {
        let shape = match self.load(id)? {
            Loaded::Dict(mut dict) => {
                let shape = match dict.int_of("FunctionType", &[2, 3])? {
                    2 => exponential(&mut dict)?,
                    _ => self.stitching(&mut dict)?,
                };
                if dict.get("Range").is_some() {
                    dict.tuple("Range", shape.outputs.saturating_mul(2))?;
                }
                dict.done()?;
                shape
            }
            Loaded::Stream(mut dict, Filter::Flate, data) => {
                let sampled = dict.int_of("FunctionType", &[0, 4])? == 0;
                let inputs = pairs(&mut dict, "Domain")?;
                let outputs = pairs(&mut dict, "Range")?;
                if sampled {
                    let len = samples(&mut dict, inputs, outputs)?;
                    dict.done()?;
                    self.inflate_len(data, len)?;
                } else {
                    dict.done()?;
                    calculator::check(&self.inflate(data)?)?;
                }
                Shape { inputs, outputs, height: 1 }
            }
            Loaded::Stream(dict, Filter::Dct, _) => return Err(dict.reject("7.10: filter of a function")),
            Loaded::Array(at, _) => return Err(Rejection::new(at, "7.10: function")),
        };
        Ok(Facts::Function(shape))
    }

    /// 7.10.4.
    fn stitching(&mut self, dict: &mut Dict<'_>) -> Result<Shape, Rejection> {
        dict.tuple("Domain", 2)?;
        let functions: Vec<u32> = dict.req("Functions", |v| v.array()?.iter().map(Value::reference).collect())?;
        dict.tuple("Bounds", functions.len().saturating_sub(1))?;
        dict.tuple("Encode", functions.len().saturating_mul(2))?;
        let mut whole: Option<Shape> = None;
        for id in functions {
            let Facts::Function(part) = self.visit(id, Kind::Function)? else { continue };
            let outputs = whole.map_or(part.outputs, |w| w.outputs);
            dict.check(
                part.inputs == 1 && part.outputs == outputs,
                "7.10.4: functions of one input, alike in outputs",
            )?;
            let height = part.height.saturating_add(1).max(whole.map_or(0, |w| w.height));
            whole = Some(Shape { inputs: 1, outputs, height });
        }
        let whole = whole.ok_or_else(|| dict.reject("7.10.4: Functions"))?;
        dict.check(whole.height <= FUNCTIONS, "dialect §2: functions nested more than 8 deep (PDF-76)")?;
        Ok(whole)
    }
}

/// 8.6.5.2 to 8.6.5.4.
fn measured(family: &[u8], mut dict: Dict<'_>) -> Result<Space, Rejection> {
    dict.tuple("WhitePoint", 3)?;
    dict.opt_tuple("BlackPoint", 3)?;
    let components = match family {
        b"CalGray" => {
            dict.opt("Gamma", Value::number)?;
            1
        }
        b"CalRGB" => {
            dict.opt_tuple("Gamma", 3)?;
            dict.opt_tuple("Matrix", 9)?;
            3
        }
        _ => {
            dict.opt_tuple("Range", 4)?;
            3
        }
    };
    dict.done()?;
    Ok(Space::Of(components))
}

/// An array of pairs, one at least; how many.
fn pairs(dict: &mut Dict<'_>, key: &str) -> Result<usize, Rejection> {
    let numbers = dict.req(key, Value::numbers)?;
    let (pairs, rest) = numbers.as_chunks::<2>();
    dict.check((1..=MOST).contains(&pairs.len()) && rest.is_empty(), "7.10: Domain or Range")?;
    Ok(pairs.len())
}

/// 7.10.3.
fn exponential(dict: &mut Dict<'_>) -> Result<Shape, Rejection> {
    dict.tuple("Domain", 2)?;
    dict.req("N", Value::number)?;
    let low = dict.req("C0", Value::numbers)?.len();
    let high = dict.req("C1", Value::numbers)?.len();
    dict.check(low == high && (1..=MOST).contains(&low), "7.10.3: C0 and C1")?;
    Ok(Shape { inputs: 1, outputs: low, height: 1 })
}

/// 7.10.2: the length of the data.
fn samples(dict: &mut Dict<'_>, inputs: usize, outputs: usize) -> Result<u64, Rejection> {
    let size: Vec<i64> = dict.req("Size", |v| v.array()?.iter().map(Value::int).collect())?;
    dict.check(size.len() == inputs && size.iter().all(|n| *n > 0), "7.10.2: Size")?;
    let bits = dict.int_of("BitsPerSample", &[1, 2, 4, 8, 12, 16, 24, 32])?;
    dict.opt_tuple("Encode", inputs.saturating_mul(2))?;
    dict.opt_tuple("Decode", outputs.saturating_mul(2))?;
    let total = size
        .iter()
        .chain([&bits])
        .try_fold(outputs as u64, |n, by| n.checked_mul(u64::try_from(*by).ok()?))
        .ok_or_else(|| dict.reject("7.10.2: size of the table (PDF-76)"))?;
    Ok(total.div_ceil(8))
}
