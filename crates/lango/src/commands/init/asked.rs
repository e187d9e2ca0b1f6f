//! What a command needs and was not given: asked for on a terminal, and refused in a script.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::failure::Failure;

/// A thing that is needed.
#[derive(Debug, Clone, Copy)]
pub struct Need<'a> {
    /// As it is asked for: `The office's code`.
    pub question: &'a str,
    /// The option that gives it: `--name`.
    pub option: &'a str,
    /// What is taken if nothing else is said.
    pub default: Option<&'a str>,
}

/// Whether there is somebody to ask.
pub fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// What was given, else what somebody at a terminal answers, else the default. `read` refuses what makes no sense: at a terminal
/// it is asked for again.
pub fn need<T>(
    given: Option<&str>,
    need: Need<'_>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Failure> {
    if let Some(given) = given {
        return read(given).map_err(|why| Failure::Usage(format!("{} {given}: {why}", need.option)));
    }
    if is_terminal() {
        return answered(&mut io::stdin().lock(), &mut io::stdout(), need, read);
    }
    match need.default {
        Some(default) => {
            read(default).map_err(|why| Failure::Usage(format!("{} {default}: {why}", need.option)))
        }
        None => Err(Failure::Usage(format!("{} is missing: {}", need.option, need.question))),
    }
}

/// Asks until the answer makes sense.
fn answered<T>(
    input: &mut impl BufRead,
    output: &mut impl Write,
    need: Need<'_>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Failure> {
    loop {
        let default = need.default.filter(|default| !default.is_empty());
        let default = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        write!(output, "{}{default}: ", need.question)?;
        output.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            writeln!(output)?;
            return Err(Failure::Failed("stopped before all was answered: nothing was made".to_owned()));
        }
        let line = match (line.trim(), need.default) {
            ("", Some(default)) => default,
            (line, _) => line,
        };
        match read(line) {
            Ok(read) => return Ok(read),
            Err(why) => writeln!(output, "  {why}")?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(typed: &str, default: Option<&str>) -> (Result<u16, String>, String) {
        let need = Need { question: "The port", option: "--port", default };
        let mut output = Vec::new();
        let read = |line: &str| line.parse::<u16>().map_err(|_| "that is no port".to_owned());
        let answered = answered(&mut typed.as_bytes(), &mut output, need, read);
        (answered.map_err(|failure| failure.to_string()), String::from_utf8(output).unwrap())
    }

    #[test]
    fn it_is_asked_until_the_answer_makes_sense() {
        let (answer, said) = at("x\n\n 7443 \n", None);
        assert_eq!(answer, Ok(7_443));
        assert_eq!(said, "The port: ".to_owned() + &"  that is no port\nThe port: ".repeat(2));
        assert_eq!(at("\n", Some("7443")), (Ok(7_443), "The port [7443]: ".to_owned()));
        // An empty default is in the question's words, and the end of the input ends the line.
        assert_eq!(at("7443\n", Some("")), (Ok(7_443), "The port: ".to_owned()));
        let (ended, said) = at("", None);
        assert!(ended.unwrap_err().contains("nothing was made"));
        assert_eq!(said, "The port: \n");
    }
}
