//! Words for people, from the code and the arguments of a refusal: one file per language, under `messages/`.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};

use crate::refusal::Arguments;

/// A language that there are words in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// `messages/en.ftl`.
    #[default]
    English,
}

/// The messages of the English file.
pub(crate) const ENGLISH: &str = include_str!("../messages/en.ftl");

type Bundle = FluentBundle<FluentResource>;

static ENGLISH_BUNDLE: LazyLock<Bundle> = LazyLock::new(|| bundle("en", ENGLISH));

fn bundle(language: &str, text: &str) -> Bundle {
    let mut bundle = FluentBundle::new_concurrent(language.parse().into_iter().collect());
    // Marks around placeables would reach terminals and tables.
    bundle.set_use_isolating(false);
    // What a test excludes is passed over: a message that cannot be read falls back to its code.
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
    drop(bundle.add_resource(resource));
    bundle
}

impl Language {
    fn bundle(self) -> &'static Bundle {
        match self {
            Self::English => &ENGLISH_BUNDLE,
        }
    }

    /// A refusal in words. A code or a case that this version does not know is named.
    pub fn refusal(self, code: &str, arguments: &Arguments) -> String {
        let mut args: FluentArgs<'_> = arguments.iter().collect();
        let known = self.message(code, arguments.get("case"), &args);
        known.unwrap_or_else(|| {
            args.set("code", code);
            self.message("unknown-refusal", None, &args).unwrap_or_else(|| code.to_owned())
        })
    }

    fn message(self, id: &str, case: Option<&str>, args: &FluentArgs<'_>) -> Option<String> {
        let bundle = self.bundle();
        let message = bundle.get_message(id)?;
        let pattern = match case {
            Some(case) => message.get_attribute(case)?.value(),
            None => message.value()?,
        };
        let mut errors = Vec::new();
        let words = bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
        errors.is_empty().then_some(words)
    }
}
