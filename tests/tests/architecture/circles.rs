//! Which files of a crate need each other, as far as their paths show: imports, what a module hands on from another, and paths in
//! the text. Methods are not followed.

use std::collections::{BTreeMap, BTreeSet};

/// A module's path below the crate's root.
type Module = Vec<String>;

/// An import or a path: its segments, and whether a module hands it on.
struct Path {
    segments: Vec<String>,
    public: bool,
}

/// The pairs of modules that need each other, as `a <-> b`, none of which lies in the other. Files are named below `src`.
pub fn circles(files: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let files =
        files.filter(|(file, _)| !file.split(['/', '.']).any(|part| ["tests", "fixture"].contains(&part)));
    let modules: BTreeMap<Module, Read> =
        files.map(|(file, text)| (module(&file), Read::of(&text))).collect();
    let mut needs: BTreeSet<(&Module, Module)> = BTreeSet::new();
    for (from, read) in &modules {
        for path in &read.paths {
            // What is only handed on is not needed here.
            let used = !path.public || path.segments.last().is_some_and(|name| read.words.contains(name));
            let target = used.then(|| resolve(&modules, from, &path.segments, 0)).flatten();
            needs.extend(target.filter(|target| target != from).map(|target| (from, target)));
        }
    }
    let both = needs.iter().filter(|(from, to)| {
        let apart = !to.starts_with(from.as_slice()) && !from.starts_with(to.as_slice());
        apart
            && *from < to
            && modules.get_key_value(to).is_some_and(|(to, _)| needs.contains(&(to, (*from).clone())))
    });
    both.map(|(from, to)| format!("{} <-> {}", from.join("::"), to.join("::"))).collect()
}

fn module(file: &str) -> Module {
    match file.trim_end_matches(".rs") {
        "lib" | "main" => Vec::new(),
        path => path.split('/').filter(|part| *part != "mod").map(str::to_owned).collect(),
    }
}

/// A file, as far as it matters here.
struct Read {
    paths: Vec<Path>,
    /// The words outside of imports.
    words: BTreeSet<String>,
}

impl Read {
    fn of(text: &str) -> Self {
        let code = without_tests(&without_texts(text));
        let (mut paths, mut rest) = (Vec::new(), String::new());
        // Items end at a semicolon or a brace; an import has braces of its own.
        let mut left = code.as_str();
        while let Some((before, import)) = next_import(left) {
            rest += before;
            let (tree, after) = import.split_once(';').unwrap_or((import, ""));
            let public = before.trim_end().ends_with("pub") || before.trim_end().ends_with(')');
            expand("", tree, &mut |segments| paths.push(Path { segments, public }));
            left = after;
        }
        rest += left;
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let words =
            rest.split(|c: char| !word(c)).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        for path in rest.split(|c: char| !word(c) && c != ':').filter(|path| path.contains("::")) {
            let segments = path.split("::").map(str::to_owned).filter(|part| !part.is_empty()).collect();
            paths.push(Path { segments, public: false });
        }
        Self { paths, words }
    }
}

/// What stands before the next `use`, and what follows it.
fn next_import(code: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let at = from + code.get(from..)?.find("use ")?;
        let before = code.get(..at)?;
        let begins = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
        // `impl Trait + use<..>` has no blank; a word that ends in `use` has another letter before it.
        if begins {
            return Some((before, code.get(at + 4..)?));
        }
        from = at + 4;
    }
}

/// The paths of an import's tree.
fn expand(prefix: &str, tree: &str, each: &mut dyn FnMut(Vec<String>)) {
    let tree = tree.trim();
    let Some((head, body)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        let segments: Vec<String> = format!("{prefix}{path}")
            .split("::")
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect();
        if !path.is_empty() {
            each(segments);
        }
        return;
    };
    let body = body.rsplit_once('}').map_or(body, |(body, _)| body);
    let (mut depth, mut start) = (0, 0);
    let prefix = format!("{prefix}{head}");
    for (at, c) in body.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&prefix, &body[start..at], each);
                start = at + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, &body[start..], each);
}

/// The module in which what a path names is defined; `None` where that is another crate's.
fn resolve(modules: &BTreeMap<Module, Read>, from: &Module, path: &[String], depth: usize) -> Option<Module> {
    let mut at = from.clone();
    let mut rest = path;
    match rest.split_first()? {
        (first, more) if first == "crate" => (at, rest) = (Vec::new(), more),
        (first, more) if first == "self" => rest = more,
        (first, _) if first == "super" => {
            while let Some((first, more)) = rest.split_first().filter(|(first, _)| *first == "super") {
                debug_assert_eq!(first, "super");
                at.pop();
                rest = more;
            }
        }
        (first, _) => {
            let child = [from.as_slice(), std::slice::from_ref(first)].concat();
            modules.contains_key(&child).then_some(())?;
        }
    }
    while let Some((first, more)) = rest.split_first() {
        let child = [at.as_slice(), std::slice::from_ref(first)].concat();
        if !modules.contains_key(&child) {
            break;
        }
        (at, rest) = (child, more);
    }
    let handed_on = rest.first().and_then(|name| {
        let paths = &modules.get(&at)?.paths;
        paths.iter().find(|path| path.public && path.segments.last() == Some(name))
    });
    match handed_on {
        Some(path) if depth < 8 => resolve(modules, &at, &path.segments, depth + 1),
        _ => Some(at),
    }
}

/// A text without comments, texts and characters.
fn without_texts(text: &str) -> String {
    let mut code = String::new();
    let mut left = text;
    while let Some(c) = left.chars().next() {
        if left.starts_with("//") {
            left = left.split_once('\n').map_or("", |(_, after)| after);
            code.push('\n');
        } else if c == '"' {
            let mut escaped = false;
            let end = left.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            left = end.map_or("", |(at, _)| left.get(at + 1..).unwrap_or_default());
        } else if let Some(after) =
            ["'\"'", "'\\''", "'\\\\'"].iter().find_map(|quote| left.strip_prefix(quote))
        {
            left = after;
        } else {
            code.push(c);
            left = left.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    code
}

/// The code before its tests, without imports that only they use.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut parts = code.split("#[cfg(test)]");
    kept += parts.next().unwrap_or_default();
    for part in parts {
        let item = part.trim_start();
        let declares = item.starts_with("mod ") && item.find('{') < item.find(';');
        if declares && item.contains('{') {
            break;
        }
        // One item without a body: an import, a module in a file of its own.
        if item
            .find(';')
            .is_some_and(|end| item.find('{').is_none_or(|body| end < body || item.contains("use ")))
        {
            kept += item.split_once(';').map_or("", |(_, after)| after);
        } else {
            kept += item;
        }
    }
    kept
}
