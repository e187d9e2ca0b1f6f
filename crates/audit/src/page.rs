//! One page for a parliament's committee: what was asked for which purposes, what was spent of the budgets, what was refused.
//! It is HTML that needs nothing else: no script, no font, no picture from elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use lango_policy::PolicySet;
use lango_privacy::nano;
use time::OffsetDateTime;

use crate::summary::{LogSummary, QuestionCounts};

/// What a reader should know of the proof: the lines of a verification, and whether all holds.
#[derive(Debug, Clone)]
pub struct PageProof {
    /// Whether all is proven.
    pub holds: bool,
    /// A line for each claim.
    pub lines: Vec<String>,
}

/// Colours that differ in brightness too, so that a print without colours shows them apart.
const COLOURS: [&str; 6] = ["#1b4f72", "#d68910", "#5dade2", "#784212", "#a9cce3", "#7d8a93"];
/// A chart's width and height, and the room for words around it.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 48.0;
const BELOW: f64 = 26.0;

/// The page on a log of this name.
#[must_use]
pub fn committee_page(
    origin: &str,
    policy: Option<&PolicySet>,
    summary: &LogSummary,
    proof: &PageProof,
) -> String {
    let all = summary.all();
    let office = origin.rsplit('/').next().unwrap_or(origin);
    let span = summary.span.map(|(first, last)| format!("{} to {}", day(first), day(last)));
    let mut page = vec![
        "<!doctype html>".to_owned(),
        "<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">".to_owned(),
        format!("<title>Access to the register of {}</title>", text(office)),
        format!("<style>{STYLE}</style></head><body><main>"),
        format!("<h1>Who asked what of the register of {}</h1>", text(office)),
        format!("<p class=\"lead\">{}, by the office's own log, which cannot be rewritten unseen.</p>", text(&span.unwrap_or_default())),
        "<section class=\"figures\">".to_owned(),
        figure(all.all(), "questions"),
        figure(all.answered, "answered anew"),
        figure(all.repeated, "answered again, free"),
        figure(all.refused, "refused"),
        "</section>".to_owned(),
        "<h2>Questions by purpose and month</h2>".to_owned(),
        by_month(summary),
        "<h2>What was spent of the budgets</h2>".to_owned(),
        "<p>A budget bounds what everybody together may learn of any one person in a period. When it is spent, every new question is refused.</p>"
            .to_owned(),
        budgets(policy, summary),
        "<h2>Refusals by their reason</h2>".to_owned(),
        bars(summary.refusals.iter().map(|(code, count)| (code.as_str(), *count))),
        "<h2>Who asked</h2>".to_owned(),
        askers(summary),
    ];
    if summary.left_out > 0 {
        page.push(format!(
            "<p>Beside these, {} requests at fault were refused and not recorded one by one, for there were too many.</p>",
            grouped(summary.left_out)
        ));
    }
    page.push("<h2>What of this is proven</h2>".to_owned());
    page.push(match proof.holds {
        true => {
            "<p class=\"good\">The log was verified whole when this page was made, and every claim holds:</p>"
                .to_owned()
        }
        false => {
            "<p class=\"bad\">The log was verified when this page was made, and NOT every claim holds:</p>"
                .to_owned()
        }
    });
    let lines: Vec<String> = proof.lines.iter().map(|line| format!("<li>{}</li>", text(line))).collect();
    page.push(format!("<ul class=\"proof\">{}</ul>", lines.concat()));
    page.push(format!(
        "<footer>{} &middot; {} entries</footer></main></body></html>",
        text(origin),
        grouped(summary.entries)
    ));
    page.join("\n") + "\n"
}

const STYLE: &str = "body{margin:0;background:#fff;color:#1c2833;font:16px/1.5 system-ui,sans-serif}\
main{max-width:760px;margin:0 auto;padding:32px 20px}h1{font-size:28px;line-height:1.2;margin:0}\
h2{font-size:19px;margin:34px 0 8px}.lead{color:#566573;margin:6px 0 20px}\
.figures{display:grid;grid-template-columns:repeat(4,1fr);gap:12px}.figures div{border-top:3px solid #1b4f72;padding:8px 0}\
.figures b{display:block;font-size:28px;line-height:1.1}.figures span{color:#566573;font-size:14px}\
table{border-collapse:collapse;width:100%;font-size:14px}th,td{text-align:left;padding:5px 8px;border-bottom:1px solid #d5d8dc}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;height:auto;display:block}\
.key{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:14px;margin:6px 0}.key i{display:inline-block;width:12px;height:12px;margin-right:6px}\
.good{border-left:4px solid #1e8449;padding-left:10px}.bad{border-left:4px solid #c0392b;padding-left:10px;font-weight:600}\
.proof{font-size:14px}footer{margin-top:32px;color:#566573;font-size:13px}@media print{main{padding:0}h2{break-after:avoid}}";

fn figure(count: u64, what: &str) -> String {
    format!("<div><b>{}</b><span>{}</span></div>", grouped(count), text(what))
}

/// Columns by month, a colour for each purpose.
fn by_month(summary: &LogSummary) -> String {
    let months: BTreeSet<&str> = summary.questions.keys().map(|(month, _)| month.as_str()).collect();
    let mut of_purpose: BTreeMap<&str, u64> = BTreeMap::new();
    for ((_, purpose), counts) in &summary.questions {
        *of_purpose.entry(purpose).or_default() += counts.all();
    }
    if months.is_empty() {
        return "<p>Nothing was asked.</p>".to_owned();
    }
    let mut purposes: Vec<(&str, u64)> = of_purpose.into_iter().collect();
    purposes.sort_by_key(|(purpose, count)| (std::cmp::Reverse(*count), *purpose));
    // The last colour is of all purposes that have none of their own.
    let own =
        purposes.len().min(if purposes.len() > COLOURS.len() { COLOURS.len() - 1 } else { COLOURS.len() });
    let colour = |place: usize| COLOURS.get(place).or(COLOURS.last()).copied().unwrap_or_default();
    let count = |month: &str, place: usize| -> u64 {
        let of = |(purpose, _): &(&str, u64)| {
            summary.questions.get(&(month.to_owned(), (*purpose).to_owned())).map_or(0, QuestionCounts::all)
        };
        match place < own {
            true => purposes.get(place).map_or(0, of),
            false => purposes.iter().skip(own).map(of).sum(),
        }
    };
    let series = own + usize::from(purposes.len() > own);
    let total = |month: &str| (0..series).map(|place| count(month, place)).sum::<u64>();
    let most = months.iter().map(|month| total(month)).max().unwrap_or(1).max(1);
    let step = (WIDTH - LEFT) / months.len() as f64;
    let thick = (step * 0.7).min(56.0);
    let mut svg = vec![format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"Questions by month and purpose\">",
        HEIGHT + BELOW
    )];
    for quarter in 0..=4_u64 {
        let at = HEIGHT - (HEIGHT - 12.0) * quarter as f64 / 4.0;
        let label = most as f64 * quarter as f64 / 4.0;
        let label = if label.fract() == 0.0 { grouped(label as u64) } else { String::new() };
        svg.push(format!(
            "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#e5e8e8\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"12\" fill=\"#566573\">{label}</text>",
            LEFT - 8.0,
            at + 4.0
        ));
    }
    let every = (months.len() / 12).max(1);
    for (number, month) in months.iter().enumerate() {
        let left = LEFT + step * number as f64 + (step - thick) / 2.0;
        let mut floor = HEIGHT;
        for place in 0..series {
            let height = (HEIGHT - 12.0) * count(month, place) as f64 / most as f64;
            floor -= height;
            svg.push(format!(
                "<rect x=\"{left:.1}\" y=\"{floor:.1}\" width=\"{thick:.1}\" height=\"{height:.1}\" fill=\"{}\"/>",
                colour(place)
            ));
        }
        if number.is_multiple_of(every) {
            svg.push(format!(
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" font-size=\"12\" fill=\"#566573\">{}</text>",
                left + thick / 2.0,
                HEIGHT + 18.0,
                text(month)
            ));
        }
    }
    svg.push("</svg>".to_owned());
    let key = (0..series).map(|place| {
        let name = match place < own {
            true => purposes.get(place).map_or("", |(purpose, _)| purpose),
            false => "other purposes",
        };
        let all: u64 = months.iter().map(|month| count(month, place)).sum();
        format!(
            "<span><i style=\"background:{}\"></i>{} ({})</span>",
            colour(place),
            text(name),
            grouped(all)
        )
    });
    format!("<div class=\"key\">{}</div>{}", key.collect::<String>(), svg.concat())
}

/// What was spent of each budget, against what the policy in force allows.
fn budgets(policy: Option<&PolicySet>, summary: &LogSummary) -> String {
    let limit = |pool: &str| {
        let policy = policy?;
        let named = policy.budgets.iter().find(|(name, _)| name.as_str() == pool)?;
        Some(named.1.clone())
    };
    let rows = summary.budgets().map(|(pool, period, spent)| {
        let limit = limit(pool);
        let amount = match (spent.pure_nano, &limit) {
            (Some(pure), _) => Some(pure),
            (None, Some(budget)) => budget.account.epsilon_of(spent.rho_nano),
            (None, None) => None,
        };
        let (of, part) = match (&limit, amount) {
            (Some(budget), Some(amount)) => {
                (nano(budget.epsilon_nano), amount as f64 / budget.epsilon_nano.max(1) as f64)
            }
            (Some(budget), None) => (nano(budget.epsilon_nano), 0.0),
            (None, _) => ("no longer granted".to_owned(), 0.0),
        };
        let spent = amount.map_or_else(|| format!("rho {}", nano(spent.rho_nano)), nano);
        let width = (part * 160.0).clamp(0.0, 160.0);
        format!(
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td><svg viewBox=\"0 0 160 14\" \
             style=\"width:160px\" role=\"img\" aria-label=\"{:.0} of 100\"><rect width=\"160\" height=\"14\" fill=\"#e5e8e8\"/>\
             <rect width=\"{width:.1}\" height=\"14\" fill=\"{}\"/></svg></td></tr>",
            text(pool),
            text(if period.is_empty() { "all time" } else { period }),
            text(&spent),
            text(&of),
            part * 100.0,
            COLOURS[0]
        )
    });
    let rows: String = rows.collect();
    if rows.is_empty() {
        return "<p>Nothing was charged.</p>".to_owned();
    }
    format!(
        "<table><thead><tr><th>persons of</th><th>period</th><th class=\"n\">epsilon spent</th><th class=\"n\">of</th><th></th></tr></thead>\
         <tbody>{rows}</tbody></table>"
    )
}

/// Bars, the longest first.
fn bars<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let mut counts: Vec<(&str, u64)> = counts.collect();
    counts.sort_by_key(|(what, count)| (std::cmp::Reverse(*count), *what));
    let Some((_, most)) = counts.first().copied() else { return "<p>Nothing was refused.</p>".to_owned() };
    const ROW: f64 = 26.0;
    const NAMES: f64 = 240.0;
    let height = ROW * counts.len() as f64;
    let mut svg = vec![format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Refusals by their reason\">"
    )];
    for (row, (what, count)) in counts.iter().enumerate() {
        let top = ROW * row as f64;
        let width = (WIDTH - NAMES - 60.0) * *count as f64 / most.max(1) as f64;
        svg.push(format!(
            "<text x=\"0\" y=\"{:.1}\" font-size=\"14\" fill=\"#1c2833\">{}</text>\
             <rect x=\"{NAMES}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"16\" fill=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"14\" fill=\"#566573\">{}</text>",
            top + 17.0,
            text(what),
            top + 5.0,
            COLOURS[1],
            NAMES + width + 8.0,
            top + 17.0,
            grouped(*count)
        ));
    }
    svg.push("</svg>".to_owned());
    svg.concat()
}

fn askers(summary: &LogSummary) -> String {
    let rows: String = summary
        .askers
        .iter()
        .map(|((who, purpose), counts)| {
            let QuestionCounts { answered, repeated, refused, .. } = counts;
            format!(
                "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                text(who.splitn(4, '/').nth(3).unwrap_or(who)),
                text(purpose),
                grouped(*answered),
                grouped(*repeated),
                grouped(*refused)
            )
        })
        .collect();
    if rows.is_empty() {
        return "<p>Nobody.</p>".to_owned();
    }
    format!(
        "<table><thead><tr><th>who</th><th>for</th><th class=\"n\">answered</th><th class=\"n\">again</th><th class=\"n\">refused</th></tr>\
         </thead><tbody>{rows}</tbody></table>"
    )
}

/// Others' words within HTML: on one line, none of its marks.
fn text(words: &str) -> String {
    let mut text = String::new();
    for c in lango_words::line(words).chars() {
        match c {
            '&' => text += "&amp;",
            '<' => text += "&lt;",
            '>' => text += "&gt;",
            '"' => text += "&quot;",
            '\'' => text += "&#39;",
            c => text.push(c),
        }
    }
    text
}

fn day(at: i64) -> String {
    OffsetDateTime::from_unix_timestamp(at).map_or_else(|_| at.to_string(), |at| at.date().to_string())
}

fn grouped(number: u64) -> String {
    lango_words::thousands(&number.to_string())
}
