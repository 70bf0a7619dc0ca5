//! The chart: for each case one bar for each of its times.
//!
//! Cases differ by a thousand times, so each is drawn to its own scale; the numbers stand beside the bars.

use super::Case;

/// Renders an SVG image that needs nothing from elsewhere.
pub(super) fn render(cases: &[Case]) -> String {
    let mut body = String::new();
    let mut top = HEAD;
    for case in cases {
        let bars = bars(case);
        let longest = bars.iter().map(|(_, value, _)| *value).fold(0.0, f64::max);
        if longest <= 0.0 {
            continue;
        }
        body.push_str(&format!(
            "<text x=\"10\" y=\"{}\" font-weight=\"bold\">{}</text>\n",
            top + 14,
            escaped(&case.name)
        ));
        top += 20;
        for (label, value, colour) in bars {
            let width = (value / longest * f64::from(BAR_WIDTH)).max(1.0);
            body.push_str(&format!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>\n\
                 <rect x=\"{LEFT}\" y=\"{top}\" width=\"{width:.1}\" height=\"14\" fill=\"{colour}\"/>\n\
                 <text x=\"{:.1}\" y=\"{}\">{}</text>\n",
                LEFT - 8,
                top + 12,
                f64::from(LEFT) + width + 6.0,
                top + 12,
                time(value)
            ));
            top += 18;
        }
        top += 12;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{top}\" font-family=\"sans-serif\" \
         font-size=\"12\" role=\"img\">\n<title>Time of one call</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"10\" y=\"22\" font-size=\"15\">Time of one call; shorter is better, each case to its own scale</text>\n\
         {body}</svg>\n"
    )
}

/// What is drawn of a case: label, nanoseconds, colour. Every time, and nothing that is no time.
fn bars(case: &Case) -> Vec<(String, f64, &'static str)> {
    let times = case.values.iter().filter_map(|(name, value)| Some((name.strip_suffix("_ns")?, *value)));
    times
        .map(|(name, value)| match BARS.iter().find(|(known, ..)| *known == name) {
            Some((_, label, colour)) => ((*label).to_owned(), value, *colour),
            // Ours on one of several providers, or somebody else's.
            None if name.starts_with("ours") => (escaped(&name.replace('_', " ")), value, OURS),
            None => (escaped(&name.replace('_', " ")), value, THEIRS),
        })
        .collect()
}

/// What our own benches measure: the value's name without its unit, the label, the colour.
const BARS: [(&str, &str, &str); 4] = [
    ("ours", "ours", OURS),
    ("limit", "bare primitives", "#9fb8ad"),
    ("floor", "without checks", "#d9cfc1"),
    ("maps", "two hash maps", "#d9cfc1"),
];

const OURS: &str = "#1f6f8b";
const THEIRS: &str = "#c58b4a";

const WIDTH: u32 = 760;
const LEFT: u32 = 170;
const BAR_WIDTH: u32 = 480;
const HEAD: u32 = 40;

/// Three digits that matter, in the unit that fits.
fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        under if under < 1_000.0 => (under, "ns"),
        under if under < 1_000_000.0 => (under / 1_000.0, "µs"),
        over => (over / 1_000_000.0, "ms"),
    };
    let digits = match value {
        under if under < 10.0 => 2,
        under if under < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[(&str, f64)]) -> String {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        render(&[Case { name: "a<b".to_owned(), values }])
    }

    #[test]
    fn bars_are_as_long_as_their_values() {
        let svg = chart(&[("ours_ns", 200.0), ("limit_ns", 100.0)]);
        assert!(svg.contains("width=\"480.0\"") && svg.contains("width=\"240.0\""), "{svg}");
        assert_eq!(svg.matches("<rect x=").count(), 2);
    }

    #[test]
    fn peers_have_bars_and_their_ratios_have_none() {
        let svg = chart(&[("ours_on_ring_ns", 1.0), ("josekit_ns", 9.0), ("josekit_over_ours_on_ring", 9.0)]);
        assert!(svg.contains(">ours on ring<") && svg.contains(">josekit<"), "{svg}");
        assert_eq!(svg.matches("<rect x=").count(), 2);
    }

    #[test]
    fn a_name_cannot_leave_its_text() {
        let svg = chart(&[("ours_ns", 1.0)]);
        assert!(svg.contains(">a&lt;b<") && !svg.contains("a<b"));
    }

    #[test]
    fn a_case_without_times_has_no_bars() {
        assert_eq!(chart(&[("ours_per_s", 5.0)]).matches("<rect x=").count(), 0);
    }

    #[test]
    fn times_have_three_digits() {
        let shown = [0.5, 9.99, 99.5, 999.0, 1_000.0, 2_500_000.0].map(time);
        assert_eq!(shown, ["0.50 ns", "9.99 ns", "99.5 ns", "999 ns", "1.00 µs", "2.50 ms"]);
    }
}
