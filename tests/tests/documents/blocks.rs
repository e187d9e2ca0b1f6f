//! The fenced blocks of a document, with the comment before each that says what it is.

/// A fenced block.
pub struct Block {
    pub line: usize,
    pub language: String,
    /// The text of the comment before it.
    pub about: String,
    pub text: String,
}

pub fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut about = String::new();
    let mut lines = document.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            if let Some(comment) = line.strip_prefix("<!-- ") {
                about = comment.trim_end_matches("-->").trim().to_owned();
            } else if !line.is_empty() {
                about.clear();
            }
            continue;
        };
        let body = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        let text = body.map(|line| format!("{line}\n")).collect();
        let about = std::mem::take(&mut about);
        blocks.push(Block { line: index + 1, language: language.to_owned(), about, text });
    }
    blocks
}

#[test]
fn blocks_are_found_with_what_is_said_of_them() {
    let found =
        blocks("a\n<!-- policy -->\n\n```toml\nx = 1\n```\n<!-- policy -->\ntext\n```sh\n\nls\n```\n");
    let blocks: Vec<_> = found
        .iter()
        .map(|block| (block.line, block.language.as_str(), block.about.as_str(), block.text.as_str()))
        .collect();
    assert_eq!(blocks, [(4, "toml", "policy", "x = 1\n"), (9, "sh", "", "\nls\n")]);
}
