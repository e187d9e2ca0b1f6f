//! Whether what a document shows is what was printed. A line `..` stands for any lines, and `..` within one for any text.

/// Compares to the letter, but for blanks at the ends of lines.
pub fn shows(shown: &str, printed: &str) -> bool {
    let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    are(&lines(shown), &lines(printed))
}

/// Compares all but numbers, the blanks that align them and the lengths of rules. Whether a figure is unreliable hangs on its
/// number.
pub fn shows_with_other_numbers(shown: &str, printed: &str) -> bool {
    let lines = |text: &str| text.lines().map(without_numbers).collect::<Vec<_>>();
    are(&lines(shown), &lines(printed))
}

fn are(shown: &[String], printed: &[String]) -> bool {
    let Some((line, rest)) = shown.split_first() else { return printed.is_empty() };
    if line == ".." {
        return (0..=printed.len()).any(|left_out| are(rest, &printed[left_out..]));
    }
    printed.split_first().is_some_and(|(first, others)| is(line, first) && are(rest, others))
}

fn is(shown: &str, printed: &str) -> bool {
    match shown.split_once("..") {
        None => shown == printed,
        Some((before, after)) => printed.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| is(after, &rest[at..]))
        }),
    }
}

fn without_numbers(line: &str) -> String {
    let mut plain = String::new();
    let mut letters = line.trim().chars().peekable();
    while let Some(letter) = letters.next() {
        let is_sign = letter == '-' && letters.peek().is_some_and(char::is_ascii_digit);
        if letter.is_ascii_digit() || is_sign {
            let of_number = |c: &char| c.is_ascii_digit() || *c == ',';
            let of_decimals = |c: &char| c.is_ascii_digit();
            while letters.next_if(of_number).is_some() {}
            let mut ahead = letters.clone();
            if ahead.next() == Some('.') && ahead.next().is_some_and(|c| c.is_ascii_digit()) {
                letters.next();
                while letters.next_if(of_decimals).is_some() {}
            }
            plain.push('0');
        } else if !(matches!(letter, ' ' | '─') && plain.ends_with(letter)) {
            plain.push(letter);
        }
    }
    match plain.strip_suffix("0 U") {
        Some(figure) => format!("{figure}0 A"),
        None => plain,
    }
}

#[test]
fn what_is_left_out_may_be_anything_and_the_rest_may_not() {
    for (shown, printed, expected) in [
        ("a\nb\n", "a  \nb", true),
        ("a\nb", "a\nb\nc", false),
        ("a\n..\n", "a\nb\nc", true),
        ("..\nc\n", "a\nb\nc", true),
        ("..\nb\n", "a\nb\nc", false),
        ("a .. c", "a  b  c", true),
        ("a .. c", "a b", false),
        ("..b..", "abc", true),
        ("1,200", "1,300", false),
    ] {
        assert_eq!(shows(shown, printed), expected, "{shown:?} {printed:?}");
    }
    for (shown, printed, expected) in [
        (" F   1,493   1,487 to 1,499   2.80   A", " F     7    -5 to 17    11.5   A", true),
        (" _O   1   -5 to 7   2.80   U", " _O   9    3 to 15   2.80   A   ", true),
        ("───\n a 1.", "─────\n a 22.", true),
        ("1 is left", "1 was left", false),
        ("it is 2.", "it is", false),
    ] {
        assert_eq!(shows_with_other_numbers(shown, printed), expected, "{shown:?} {printed:?}");
    }
}
