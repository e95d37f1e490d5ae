//! Reads Rust as text: code without comments and strings, paths in `use` and elsewhere, functions and their length.
//! Not a compiler: it knows as much as the rules of `architecture` need.

/// The code with comments and the contents of strings and characters blanked; lines and columns stay where they were.
pub fn code_only(text: &str) -> String {
    let source: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < source.len() {
        let end = match source[at] {
            '/' if source.get(at + 1) == Some(&'/') => line_end(&source, at),
            '/' if source.get(at + 1) == Some(&'*') => comment_end(&source, at),
            '"' => string_end(&source, at),
            'r' | 'b' if !follows_word(&source, at) => raw_string_end(&source, at).unwrap_or(at),
            '\'' => char_end(&source, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            out.push(source[at]);
            at += 1;
        } else {
            out.extend(source[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

fn follows_word(source: &[char], at: usize) -> bool {
    at > 0 && (source[at - 1].is_alphanumeric() || source[at - 1] == '_')
}

fn line_end(source: &[char], at: usize) -> usize {
    source[at..].iter().position(|c| *c == '\n').map_or(source.len(), |length| at + length)
}

fn comment_end(source: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i < source.len() {
        match (source[i], source.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    source.len()
}

fn string_end(source: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < source.len() {
        match source[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    source.len()
}

/// `r"…"`, `r#"…"#`, `b"…"`, `br#"…"#`.
fn raw_string_end(source: &[char], at: usize) -> Option<usize> {
    let mut i = at;
    let mut raw = false;
    while matches!(source.get(i), Some('r' | 'b')) {
        raw |= source[i] == 'r';
        i += 1;
    }
    let hashes = source[i..].iter().take_while(|c| **c == '#').count();
    if source.get(i + hashes) != Some(&'"') || i - at > 2 || (hashes > 0 && !raw) {
        return None;
    }
    if !raw {
        return Some(string_end(source, i));
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = i + hashes + 1;
    let length = source[body..].windows(close.len()).position(|window| window == close);
    Some(length.map_or(source.len(), |length| body + length + close.len()))
}

/// A character, not a lifetime.
fn char_end(source: &[char], at: usize) -> Option<usize> {
    match (source.get(at + 1)?, source.get(at + 2)) {
        ('\\', _) => source[at + 3..].iter().position(|c| *c == '\'').map(|length| at + 4 + length),
        (_, Some('\'')) => Some(at + 3),
        _ => None,
    }
}

/// Words and single signs of code, with their line (from 1).
pub fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut word = String::new();
        for c in line.chars().chain(std::iter::once(' ')) {
            if c.is_alphanumeric() || c == '_' {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                tokens.push((number + 1, std::mem::take(&mut word)));
            }
            if !c.is_whitespace() {
                tokens.push((number + 1, c.to_string()));
            }
        }
    }
    tokens
}

/// A path as written, braces expanded: `use a::{b, c::d}` gives `a::b` and `a::c::d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenPath {
    /// Where it begins.
    pub line: usize,
    /// Its segments.
    pub segments: Vec<String>,
}

/// Every path of two segments or more.
pub fn paths(code: &str) -> Vec<WrittenPath> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let starts = is_word(&tokens, at) && is_separator(&tokens, at + 1);
        if starts {
            at = tree(&tokens, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    found
}

fn is_word(tokens: &[(usize, String)], at: usize) -> bool {
    tokens.get(at).is_some_and(|(_, token)| token.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

fn is_separator(tokens: &[(usize, String)], at: usize) -> bool {
    let is_colon = |at: usize| tokens.get(at).is_some_and(|(_, token)| token == ":");
    is_colon(at) && is_colon(at + 1)
}

fn is_sign(tokens: &[(usize, String)], at: usize, sign: &str) -> bool {
    tokens.get(at).is_some_and(|(_, token)| token == sign)
}

/// Reads one tree from `at`; returns where it ends.
fn tree(tokens: &[(usize, String)], mut at: usize, before: &[String], found: &mut Vec<WrittenPath>) -> usize {
    let line = tokens.get(at).map_or(0, |(line, _)| *line);
    let mut segments = before.to_vec();
    loop {
        if is_sign(tokens, at, "{") {
            return group(tokens, at + 1, &segments, found);
        }
        if !is_word(tokens, at) && !is_sign(tokens, at, "*") {
            break;
        }
        segments.push(tokens[at].1.clone());
        at += 1;
        if !is_separator(tokens, at) {
            break;
        }
        at += 2;
    }
    if segments.len() > 1 {
        found.push(WrittenPath { line, segments });
    }
    at
}

fn group(tokens: &[(usize, String)], mut at: usize, before: &[String], found: &mut Vec<WrittenPath>) -> usize {
    while at < tokens.len() && !is_sign(tokens, at, "}") {
        let next = tree(tokens, at, before, found);
        at = if next == at { at + 1 } else { next };
        // `as name`
        while at < tokens.len() && !is_sign(tokens, at, ",") && !is_sign(tokens, at, "}") {
            at += 1;
        }
        if is_sign(tokens, at, ",") {
            at += 1;
        }
    }
    at + 1
}

/// A function's name, first line and number of lines.
pub fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if tokens[at].1 == "fn"
            && is_word(&tokens, at + 1)
            && let Some(last) = body_end(&tokens, at)
        {
            found.push((tokens[at + 1].1.clone(), tokens[at].0, last - tokens[at].0 + 1));
        }
    }
    found
}

fn body_end(tokens: &[(usize, String)], at: usize) -> Option<usize> {
    let (mut depth, mut brackets) = (0_usize, 0_usize);
    for (line, token) in &tokens[at..] {
        match token.as_str() {
            "(" | "[" => brackets += 1,
            ")" | "]" => brackets = brackets.saturating_sub(1),
            ";" if depth == 0 && brackets == 0 => return None,
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(*line);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where the file's test module begins; its number of lines if it has none.
pub fn tests_from(code: &str) -> usize {
    let lines: Vec<&str> = code.lines().collect();
    let is_module = |at: usize| {
        lines[at].trim() == "#[cfg(test)]"
            && lines
                .get(at + 1)
                .is_some_and(|next| next.trim_start().starts_with("mod ") && next.trim_end().ends_with('{'))
    };
    (0..lines.len()).find(|at| is_module(*at)).map_or(usize::MAX, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(code: &str) -> Vec<String> {
        paths(&code_only(code)).into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn comments_strings_and_characters_are_no_code() {
        let code = "let a = \"use x::y\"; // use x::y\n/* fn { /* nested */ } */ let b = r#\"}\"#; let c = '}'; let d: &'static str = b\"\\\"}\";";
        let read = code_only(code);
        assert_eq!(read.lines().count(), 2);
        assert!(!read.contains('x') && !read.contains('}') && read.contains("'static"), "{read}");
    }

    #[test]
    fn braces_are_expanded() {
        assert_eq!(written("use a::{b::{c, d}, e as f, *};"), ["a::b::c", "a::b::d", "a::e", "a::*"]);
        assert_eq!(written("let x = crate::store::open(y); z::<T>();"), ["crate::store::open"]);
    }

    #[test]
    fn functions_are_measured_from_their_name_to_their_brace() {
        let code = "trait T { fn no_body(&self, x: [u8; 3]); }\nfn two() -> u8 {\n    3 }\nfn one() {}";
        assert_eq!(functions(&code_only(code)), [("two".to_owned(), 2, 2), ("one".to_owned(), 4, 1)]);
    }
}
