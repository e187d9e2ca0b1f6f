//! "An office in a morning" is executed word for word, on ports that are free: what the page says to type, what it says to save,
//! and what it says is printed.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use crate::{blocks::blocks, program::project, read, terminal::Terminal};

/// How fast a page is read aloud.
const WORDS_PER_MINUTE: usize = 200;

/// A port that nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The words that a reader meets, those of commands included and those of comments not.
fn words(page: &str) -> usize {
    let lines = page.lines().filter(|line| !line.starts_with("<!-- ") && !line.starts_with("```"));
    lines.flat_map(str::split_whitespace).filter(|word| word.contains(char::is_alphanumeric)).count()
}

#[test]
fn an_office_in_a_morning() {
    let page = read(&project().join("docs/MORNING.md"));
    let ported = page.replace(":7443", &format!(":{}", free_port()));
    let ported = ported.replace(":7444", &format!(":{}", free_port()));
    let mut terminal = Terminal::open();
    let (mut commands, mut machine) = (0, Duration::ZERO);
    for block in blocks(&ported) {
        let begun = Instant::now();
        terminal.follow(&block, &format!("docs/MORNING.md:{}", block.line));
        machine += begun.elapsed();
        commands += block.text.lines().filter(|line| line.starts_with("lango ")).count();
    }
    assert!(commands >= 20, "{commands}");
    let words = words(&page);
    eprintln!(
        "An office in a morning: {commands} commands in {:.1} s of machine time; {words} words, which take {:.1} minutes to read \
         aloud",
        machine.as_secs_f64(),
        words as f64 / WORDS_PER_MINUTE as f64
    );
}

#[test]
fn words_are_counted_as_they_are_read() {
    assert_eq!(
        words("# An office\n\n<!-- prints -->\n\n```text\n─── | 12 ok\n```\n- `lango query run`\n"),
        7
    );
}
