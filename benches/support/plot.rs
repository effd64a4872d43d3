//! A plot of measured points over sizes, both logarithmic, as SVG: a few lines, legible on light and dark.

use std::fmt::Write as _;

use super::fit::power_law;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 48.0;
/// Apart from each other by hue and lightness, and at least 3:1 on white and on the dark ground.
const COLOURS: [&str; 4] = ["#2f7ed8", "#c2611f", "#3d8b4f", "#9561c4"];

const STYLE: &str = "<style>text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}\
    .grid{stroke:#8883;stroke-width:1}.ground{fill:#fff}\
    @media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}}</style>";

/// What is drawn as one line.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// From which power of ten to which, so that all values are inside.
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    fn around(values: impl Iterator<Item = f64>) -> Self {
        let (least, most) = values.fold((f64::MAX, f64::MIN), |(least, most), one| (least.min(one), most.max(one)));
        let (from, to) = (least.log10().floor(), most.log10().ceil());
        Self { from, to: to.max(from + 1.0) }
    }

    /// Where a value is, from 0 to 1.
    fn at(&self, value: f64) -> f64 {
        (value.log10() - self.from) / (self.to - self.from)
    }

    fn powers(&self) -> impl Iterator<Item = i32> + use<> {
        self.from as i32..=self.to as i32
    }
}

/// The plot; every point says its value in its title, and every line the exponent of its fit.
pub fn svg(title: &str, across: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| line.points.iter());
    let (x_axis, y_axis) = (Axis::around(points().map(|one| one.0)), Axis::around(points().map(|one| one.1)));
    let x = |value: f64| LEFT + x_axis.at(value) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - y_axis.at(value) * (HEIGHT - TOP - BOTTOM);
    let (right, bottom, middle) = (WIDTH - RIGHT, HEIGHT - BOTTOM, (LEFT + WIDTH - RIGHT) / 2.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n\
         {STYLE}\n<rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"22\">{title}</text>\n\
         <text x=\"{middle}\" y=\"{low}\" text-anchor=\"middle\">{across}</text>\n",
        low = HEIGHT - 8.0
    );
    for power in y_axis.powers() {
        let at = y(10_f64.powi(power));
        let _ = writeln!(out, "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>");
        let _ =
            writeln!(out, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 8.0, at + 4.0, si(power));
    }
    for power in x_axis.powers() {
        let at = x(10_f64.powi(power));
        let _ = writeln!(out, "<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/>");
        let under = bottom + 18.0;
        let _ = writeln!(
            out,
            "<text x=\"{at:.1}\" y=\"{under}\" text-anchor=\"middle\">10<tspan dy=\"-5\" font-size=\"9\">{power}</tspan></text>"
        );
    }
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let path: Vec<String> = line.points.iter().map(|one| format!("{:.1} {:.1}", x(one.0), y(one.1))).collect();
        let _ = writeln!(out, "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>", path.join("L"));
        for (size, value) in &line.points {
            let (cx, cy) = (x(*size), y(*value));
            let _ = writeln!(
                out,
                "<circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"4\" fill=\"{colour}\"><title>{size}: {value:.1} µs</title></circle>"
            );
        }
        if let Some((size, value)) = line.points.last() {
            let exponent = power_law(&line.points).map_or(String::new(), |(exponent, _)| format!(" ~ n^{exponent:.2}"));
            let (at, of) = (x(*size) + 8.0, y(*value) + 4.0);
            let _ = writeln!(out, "<text x=\"{at:.1}\" y=\"{of:.1}\">{}{exponent}</text>", line.name);
        }
    }
    out.push_str("</svg>\n");
    out
}

fn si(power: i32) -> String {
    match power {
        ..0 => format!("{} ns", 10_i32.pow((power + 3).max(0).unsigned_abs())),
        0..3 => format!("{} µs", 10_i32.pow(power.unsigned_abs())),
        3.. => format!("{} ms", 10_i32.pow((power - 3).unsigned_abs())),
    }
}
