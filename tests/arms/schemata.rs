//! Mutant schemata: the second reader's source, in which each way to accept something can be switched off by its number.
//!
//! A match arm gets a guard, and the match a last arm that refuses; alternatives of an or-pattern become arms of their
//! own; a word of a table, or a key that is asked for, becomes a call that gives a word of no file where it is off. So one
//! build serves every mutant.

use proc_macro2::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::Visit;

/// Tables of what is refused: a word less there accepts more.
const REFUSED: [&str; 5] = ["CALLS", "FETCHING", "FOREIGN", "RUN", "SCHEMES"];

/// Methods of a PDF dictionary that take the key first.
const BY_KEY: [&str; 19] = [
    "dict",
    "get",
    "int",
    "int_of",
    "is",
    "need",
    "one_of",
    "opt",
    "opt_bool",
    "opt_dict",
    "opt_int",
    "opt_numbers",
    "opt_rect",
    "opt_ref",
    "opt_tuple",
    "rect",
    "reference",
    "req",
    "take",
];

/// One way to accept something.
pub struct Arm {
    /// Below `verifier/src`.
    pub file: String,
    pub line: usize,
    pub what: String,
    /// Evaluated as it is met, so that a file that never meets it need not be tried.
    pub met: bool,
}

/// The files of the second reader with their switches; arm `n` (from 1) is `arms[n - 1]`.
pub struct Schemata {
    pub files: BTreeMap<String, String>,
    pub arms: Vec<Arm>,
}

/// Reads `src` and puts a switch to every arm.
pub fn of(src: &Path) -> Schemata {
    let sources: BTreeMap<String, String> = super::common::files_below(src)
        .into_iter()
        .filter(|(name, _)| !name.contains("tests") && !name.ends_with("testing.rs"))
        .map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap()))
        .collect();
    let rust = || sources.iter().filter(|(name, _)| name.ends_with(".rs"));
    let trees: BTreeMap<&str, syn::File> =
        rust().map(|(name, text)| (name.as_str(), syn::parse_file(text).unwrap())).collect();
    let mut names = Names::default();
    for (name, tree) in &trees {
        (names.file, names.src) = (stem(name).to_owned(), &sources[*name]);
        names.visit_file(tree);
    }
    names.close();
    let mut files = sources.clone();
    let mut arms = Vec::new();
    for (name, tree) in &trees {
        let mut writer = Writer {
            src: &sources[*name],
            sources: &sources,
            file: name,
            tables: names.visible_in(stem(name)),
            constant: &names.constant,
            arms: &mut arms,
            edits: Vec::new(),
            refusing: false,
            integers: false,
        };
        writer.visit_file(tree);
        let edits = std::mem::take(&mut writer.edits);
        files.insert((*name).to_owned(), apply(&sources[*name], 0..sources[*name].len(), &edits));
    }
    Schemata { files, arms }
}

/// The module of a file.
fn stem(name: &str) -> &str {
    name.strip_suffix("/mod.rs").unwrap_or(name).trim_end_matches(".rs").rsplit('/').next().unwrap_or_default()
}

/// What has to be known of all files first.
#[derive(Default)]
struct Names<'s> {
    file: String,
    src: &'s str,
    /// Tables, by the module that has them.
    tables: BTreeSet<(String, String)>,
    /// Module, name and where it is from, of what a module imports.
    imports: BTreeSet<(String, String, String)>,
    /// Words in bodies of `const fn`, and functions that are called where only such a function may be.
    bodies: BTreeMap<String, BTreeSet<String>>,
    constant: BTreeSet<String>,
}

impl Names<'_> {
    fn close(&mut self) {
        while let Some(more) = self
            .constant
            .iter()
            .filter_map(|name| self.bodies.get(name))
            .flatten()
            .find(|name| !self.constant.contains(*name))
            .cloned()
        {
            self.constant.insert(more);
        }
    }

    fn visible_in(&self, module: &str) -> BTreeSet<String> {
        let own = self.tables.iter().filter(|(m, _)| m == module).map(|(_, name)| name.clone());
        let imported = self
            .imports
            .iter()
            .filter(|(m, name, from)| m == module && self.tables.contains(&(from.clone(), name.clone())));
        let qualified = self.tables.iter().map(|(m, name)| format!("{m}::{name}"));
        own.chain(imported.map(|(_, name, _)| name.clone())).chain(qualified).collect()
    }

    /// Every word of a piece of source.
    fn words(&self, span: Span) -> BTreeSet<String> {
        let text = &self.src[span.byte_range()];
        text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect()
    }

    fn used(&mut self, tree: &syn::UseTree, from: &str) {
        match tree {
            syn::UseTree::Path(path) => self.used(&path.tree, &path.ident.to_string()),
            syn::UseTree::Name(name) => {
                self.imports.insert((self.file.clone(), name.ident.to_string(), from.to_owned()));
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.used(tree, from)),
            syn::UseTree::Rename(_) | syn::UseTree::Glob(_) => {}
        }
    }

    fn value(&mut self, name: &syn::Ident, value: &syn::Expr) {
        if is_table(value) && !REFUSED.iter().any(|refused| name == refused) {
            self.tables.insert((self.file.clone(), name.to_string()));
        } else if !is_lazy(value) {
            self.constant.extend(self.words(value.span()));
        }
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.used(&item.tree, "");
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.value(&item.ident, &item.expr);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.value(&item.ident, &item.expr);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.constant.extend(self.words(item.expr.span()));
    }

    fn visit_signature(&mut self, _: &'ast syn::Signature) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if item.sig.constness.is_some() {
            let words = self.words(item.block.span());
            self.bodies.insert(item.sig.ident.to_string(), words);
        }
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if item.sig.constness.is_some() {
            let words = self.words(item.block.span());
            self.bodies.insert(item.sig.ident.to_string(), words);
        }
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_expr_const(&mut self, block: &'ast syn::ExprConst) {
        self.constant.extend(self.words(block.span()));
    }
}

fn is_lazy(value: &syn::Expr) -> bool {
    let syn::Expr::Call(call) = value else { return false };
    matches!(&*call.func, syn::Expr::Path(path) if path.path.segments.iter().any(|s| s.ident == "LazyLock"))
}

fn is_of_tests(attrs: &[syn::Attribute]) -> bool {
    let test = |list: &syn::MetaList| list.path.is_ident("cfg") && list.tokens.to_string() == "test";
    attrs.iter().any(|a| a.path().is_ident("test") || matches!(&a.meta, syn::Meta::List(list) if test(list)))
}

/// An array of things with a text in each, or a text of many words.
fn is_table(value: &syn::Expr) -> bool {
    match value {
        syn::Expr::Reference(inner) => is_table(&inner.expr),
        syn::Expr::Array(array) => array.elems.iter().any(|e| text_in(e).is_some()),
        _ => list_of_words(value).is_some(),
    }
}

fn list_of_words(value: &syn::Expr) -> Option<String> {
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = value else { return None };
    Some(text.value()).filter(|text| text.split_whitespace().count() > 20)
}

/// The first text in an element that is not empty.
fn text_in(element: &syn::Expr) -> Option<syn::Lit> {
    struct First(Option<syn::Lit>);
    impl<'ast> Visit<'ast> for First {
        fn visit_lit(&mut self, lit: &'ast syn::Lit) {
            let text = match lit {
                syn::Lit::Str(text) => !text.value().is_empty(),
                syn::Lit::ByteStr(bytes) => !bytes.value().is_empty(),
                _ => false,
            };
            if text && self.0.is_none() {
                self.0 = Some(lit.clone());
            }
        }
    }
    let mut first = First(None);
    first.visit_expr(element);
    first.0
}

type Edit = (Range<usize>, String);

/// The text of `range` with the edits that lie in it.
fn apply(src: &str, range: Range<usize>, edits: &[Edit]) -> String {
    let mut inside: Vec<&Edit> = edits.iter().filter(|(r, _)| range.start <= r.start && r.end <= range.end).collect();
    inside.sort_by_key(|(r, _)| r.start);
    let (mut out, mut at) = (String::new(), range.start);
    for (edit, text) in inside {
        out.push_str(&src[at..edit.start]);
        out.push_str(text);
        at = edit.end;
    }
    out + &src[at..range.end]
}

struct Writer<'a> {
    src: &'a str,
    sources: &'a BTreeMap<String, String>,
    file: &'a str,
    tables: BTreeSet<String>,
    constant: &'a BTreeSet<String>,
    arms: &'a mut Vec<Arm>,
    edits: Vec<Edit>,
    /// Inside a condition that leads to a refusal.
    refusing: bool,
    /// Inside the values that a number may have.
    integers: bool,
}

impl Writer<'_> {
    fn arm(&mut self, span: Span, what: &str, met: bool) -> usize {
        let what: String = what.split_whitespace().collect::<Vec<_>>().join(" ");
        self.arms.push(Arm { file: self.file.to_owned(), line: span.start().line, what, met });
        self.arms.len()
    }

    fn raw(&self, span: Span) -> &str {
        &self.src[span.byte_range()]
    }

    /// The text of a part, with the edits that its visit makes.
    fn inner(&mut self, span: Span, visit: impl FnOnce(&mut Self)) -> String {
        let outside = std::mem::take(&mut self.edits);
        visit(self);
        let text = apply(self.src, span.byte_range(), &self.edits);
        self.edits = outside;
        text
    }

    fn replace(&mut self, span: Span, text: String) {
        self.edits.push((span.byte_range(), text));
    }

    /// The alternatives of a pattern: the text of each, and the arms that it is of.
    fn alternatives(&mut self, pat: &syn::Pat) -> Vec<(String, Vec<usize>)> {
        struct Outermost<'ast>(Vec<&'ast syn::PatOr>);
        impl<'ast> Visit<'ast> for Outermost<'ast> {
            fn visit_pat_or(&mut self, or: &'ast syn::PatOr) {
                self.0.push(or);
            }
        }
        let src = self.src;
        let mut found = Outermost(Vec::new());
        found.visit_pat(pat);
        let mut all: Vec<(Vec<Edit>, Vec<usize>)> = vec![(Vec::new(), Vec::new())];
        for or in found.0 {
            let mut cases = Vec::new();
            for case in &or.cases {
                let n = self.arm(case.span(), &src[case.span().byte_range()], true);
                for (text, mut ids) in self.alternatives(case) {
                    ids.push(n);
                    cases.push((text, ids));
                }
            }
            let whole = or.span().byte_range();
            let join = |(edits, ids): &(Vec<Edit>, Vec<usize>)| {
                let (edits, ids) = (edits.clone(), ids.clone());
                let whole = whole.clone();
                cases.clone().into_iter().map(move |(text, more)| {
                    let edits = edits.iter().cloned().chain([(whole.clone(), text)]).collect::<Vec<_>>();
                    (edits, ids.iter().copied().chain(more).collect::<Vec<_>>())
                })
            };
            all = all.iter().flat_map(join).collect();
        }
        all.into_iter().map(|(edits, ids)| (apply(self.src, pat.span().byte_range(), &edits), ids)).collect()
    }

    /// Arms for a pattern: `pattern if switches && guard => body,` for each alternative.
    fn guarded(&mut self, pat: &syn::Pat, guard: Option<&str>, body: &str) -> String {
        let src = self.src;
        let mut alternatives = self.alternatives(pat);
        if let [(_, ids)] = alternatives.as_mut_slice()
            && ids.is_empty()
        {
            ids.push(self.arm(pat.span(), &src[pat.span().byte_range()], true));
        }
        let mut out = String::new();
        for (text, ids) in alternatives {
            let switches: Vec<String> = ids.iter().map(|n| format!("crate::arms::on({n})")).collect();
            let guard = match guard {
                Some(guard) if guard.contains("let ") => format!(" && {guard}"),
                Some(guard) => format!(" && ({guard})"),
                None => String::new(),
            };
            out += &format!("{text} if {}{guard} => {body},\n", switches.join(" && "));
        }
        out
    }

    fn lit(&mut self, lit: &syn::Lit) {
        let raw = self.raw(lit.span()).to_owned();
        let call = match lit {
            syn::Lit::Str(_) => "text",
            syn::Lit::ByteStr(_) => "bytes",
            syn::Lit::Int(_) if self.integers => "number",
            _ => return,
        };
        let n = self.arm(lit.span(), &raw, false);
        self.replace(lit.span(), format!("crate::arms::{call}({n}, {raw})"));
    }

    /// A table is built when it is first asked for, with its switches.
    fn table(&mut self, keyword: Span, name: &syn::Ident, ty: &syn::Type, value: &syn::Expr) {
        let array = match value {
            syn::Expr::Reference(inner) => &inner.expr,
            other => other,
        };
        let text = if let Some(list) = list_of_words(value) {
            let base = self.arms.len() + 1;
            for word in list.split_whitespace() {
                self.arm(name.span(), word, false);
            }
            format!("crate::arms::list({base}, {})", self.raw(value.span()))
        } else if let syn::Expr::Array(elements) = array {
            let elements = elements.clone();
            self.inner(array.span(), |writer| {
                for element in &elements.elems {
                    if let Some(lit) = text_in(element) {
                        writer.lit(&lit);
                    }
                    writer.included(element);
                }
            })
        } else {
            return;
        };
        let text =
            if matches!(value, syn::Expr::Reference(_)) { format!("&*Box::leak(Box::new({text}))") } else { text };
        let whole = keyword.byte_range().start..value.span().byte_range().end;
        let lazy = "std::sync::LazyLock";
        let text = format!("static {name}: {lazy}<{}> = {lazy}::new(|| {text})", self.raw(ty.span()));
        self.edits.push((whole, text));
    }

    /// `include_str!` of a list: each word of the file is an arm.
    fn included(&mut self, element: &syn::Expr) {
        struct Macros(Vec<syn::Macro>);
        impl<'ast> Visit<'ast> for Macros {
            fn visit_macro(&mut self, found: &'ast syn::Macro) {
                self.0.push(found.clone());
            }
        }
        let mut found = Macros(Vec::new());
        found.visit_expr(element);
        for found in found.0.iter().filter(|m| m.path.is_ident("include_str")) {
            let name: syn::LitStr = found.parse_body().unwrap();
            let folder = self.file.rsplit_once('/').map_or("", |(folder, _)| folder);
            let path = format!("{folder}/{}", name.value());
            let base = self.arms.len() + 1;
            for (line, text) in (1..).zip(self.sources[&path].lines()).filter(|(_, text)| !text.starts_with('#')) {
                let element = text.split_whitespace().next().unwrap_or_default();
                for word in text.split_whitespace() {
                    let what = if word == element { word.to_owned() } else { format!("{element}/@{word}") };
                    self.arms.push(Arm { file: path.clone(), line, what, met: false });
                }
            }
            let raw = self.raw(found.span()).to_owned();
            self.replace(found.span(), format!("crate::arms::lines({base}, {raw})"));
        }
    }

    fn function(&mut self, sig: &syn::Signature, attrs: &[syn::Attribute]) -> bool {
        let test = is_of_tests(attrs);
        let constant = sig.constness.is_some() && self.constant.contains(&sig.ident.to_string());
        if !test
            && !constant
            && let Some(keyword) = &sig.constness
        {
            self.replace(keyword.span(), String::new());
        }
        !test && !constant
    }
}

/// Whether an expression says no.
fn refuses(expr: &syn::Expr) -> bool {
    match expr {
        syn::Expr::Call(call) => matches!(&*call.func, syn::Expr::Path(path) if path.path.is_ident("Err")),
        syn::Expr::Return(returned) => returned.expr.as_deref().is_some_and(refuses),
        syn::Expr::Path(path) => path.path.is_ident("None"),
        syn::Expr::Lit(lit) => matches!(&lit.lit, syn::Lit::Bool(b) if !b.value),
        syn::Expr::Block(block) => block_refuses(&block.block),
        _ => false,
    }
}

/// `_` or a name; `None` is read as a name too.
fn catches_all(pat: &syn::Pat) -> bool {
    match pat {
        syn::Pat::Wild(_) => true,
        syn::Pat::Ident(name) => name.subpat.is_none() && name.ident != "None",
        _ => false,
    }
}

fn block_refuses(block: &syn::Block) -> bool {
    matches!(block.stmts.last(), Some(syn::Stmt::Expr(last, _)) if refuses(last))
}

impl<'ast> Visit<'ast> for Writer<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if is_of_tests(&item.attrs) {
            return;
        }
        syn::visit::visit_item_mod(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if self.function(&item.sig, &item.attrs) {
            self.visit_block(&item.block);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if self.function(&item.sig, &item.attrs) {
            self.visit_block(&item.block);
        }
    }

    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        if self.tables.contains(&item.ident.to_string()) {
            self.table(item.const_token.span(), &item.ident, &item.ty, &item.expr);
        }
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        if self.tables.contains(&item.ident.to_string()) {
            self.table(item.static_token.span(), &item.ident, &item.ty, &item.expr);
        } else if is_lazy(&item.expr) {
            self.visit_expr(&item.expr);
        }
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        let names: Vec<String> = path.path.segments.iter().map(|s| s.ident.to_string()).collect();
        let known = match names.as_slice() {
            [name] => self.tables.contains(name),
            [.., module, name] => self.tables.contains(&format!("{module}::{name}")),
            [] => false,
        };
        if known {
            self.replace(path.span(), format!("(*{})", self.raw(path.span())));
        }
    }

    fn visit_pat(&mut self, _: &'ast syn::Pat) {}

    fn visit_type(&mut self, _: &'ast syn::Type) {}

    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let flips = matches!(unary.op, syn::UnOp::Not(_));
        self.refusing ^= flips;
        self.visit_expr(&unary.expr);
        self.refusing ^= flips;
    }

    fn visit_expr_if(&mut self, branch: &'ast syn::ExprIf) {
        let outside = std::mem::replace(&mut self.refusing, block_refuses(&branch.then_branch));
        self.visit_expr(&branch.cond);
        self.refusing = outside;
        self.visit_block(&branch.then_branch);
        if let Some((_, other)) = &branch.else_branch {
            self.visit_expr(other);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let by_key = self.file.contains("dialects/pdf/") && BY_KEY.iter().any(|name| call.method == name);
        if by_key && let Some(syn::Expr::Lit(key)) = call.args.first() {
            self.lit(&key.lit);
        }
        let outside = std::mem::replace(&mut self.integers, call.method == "int_of");
        syn::visit::visit_expr_method_call(self, call);
        self.integers = outside;
    }

    fn visit_expr_array(&mut self, array: &'ast syn::ExprArray) {
        for element in &array.elems {
            match element {
                syn::Expr::Lit(lit) => self.lit(&lit.lit),
                syn::Expr::Tuple(_) if text_in(element).is_some() => self.lit(&text_in(element).unwrap()),
                other => self.visit_expr(other),
            }
        }
    }

    fn visit_expr_reference(&mut self, reference: &'ast syn::ExprReference) {
        let syn::Expr::Array(array) = &*reference.expr else {
            return syn::visit::visit_expr_reference(self, reference);
        };
        let before = self.arms.len();
        let text = self.inner(array.span(), |writer| writer.visit_expr_array(array));
        if before != self.arms.len() {
            self.replace(reference.span(), format!("(&*Box::leak(Box::new({text})))"));
        }
    }

    fn visit_expr_macro(&mut self, found: &'ast syn::ExprMacro) {
        if self.refusing || !found.mac.path.is_ident("matches") {
            return;
        }
        let parsed = found.mac.parse_body_with(|input: syn::parse::ParseStream<'_>| {
            let scrutinee: syn::Expr = input.parse()?;
            input.parse::<syn::Token![,]>()?;
            let pat = syn::Pat::parse_multi_with_leading_vert(input)?;
            let guard = if input.parse::<Option<syn::Token![if]>>()?.is_some() {
                Some(input.parse::<syn::Expr>()?)
            } else {
                None
            };
            input.parse::<Option<syn::Token![,]>>()?;
            Ok((scrutinee, pat, guard))
        });
        let (scrutinee, pat, guard) = parsed.unwrap();
        let scrutinee = self.inner(scrutinee.span(), |writer| writer.visit_expr(&scrutinee));
        let guard = guard.map(|guard| self.inner(guard.span(), |writer| writer.visit_expr(&guard)));
        let arms = self.guarded(&pat, guard.as_deref(), "true");
        self.replace(found.span(), format!("(match {scrutinee} {{ {arms} _ => false }})"));
    }

    fn visit_expr_match(&mut self, found: &'ast syn::ExprMatch) {
        let refusing = std::mem::take(&mut self.refusing);
        let scrutinee = self.inner(found.expr.span(), |writer| writer.visit_expr(&found.expr));
        let mut arms = String::new();
        let mut caught = false;
        for arm in &found.arms {
            let guard =
                arm.guard.as_ref().map(|(_, guard)| self.inner(guard.span(), |writer| writer.visit_expr(guard)));
            let body = self.inner(arm.body.span(), |writer| writer.visit_expr(&arm.body));
            if refuses(&arm.body) {
                let guard = guard.map(|guard| format!(" if {guard}")).unwrap_or_default();
                arms += &format!("{}{guard} => {body},\n", self.raw(arm.pat.span()));
                caught |= guard.is_empty() && catches_all(&arm.pat);
            } else {
                arms += &self.guarded(&arm.pat, guard.as_deref(), &body);
            }
        }
        if !caught {
            arms += "_ => crate::arms::refused(),\n";
        }
        self.refusing = refusing;
        let whole = found.match_token.span().byte_range().start..found.span().byte_range().end;
        self.edits.push((whole, format!("match {scrutinee} {{ {arms} }}")));
    }
}
