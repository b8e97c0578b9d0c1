use std::{error::Error, path::Path};

use plotters::{coord::Shift, prelude::*};

use super::LIMIT;
use crate::{
    growth::{Options, compared::Compared, results::Results},
    variant::Backend,
};

const SIZE: (u32, u32) = (1200, 420);

/// The width of the left picture.
const LEFT: u32 = 820;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What is drawn: on the left how many times as long each operation takes with many sessions, on the right how many
/// bytes a session takes.
pub(super) fn plot(path: &Path, options: &Options, results: &Results) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(LEFT);
    ratios(&left, options, results)?;
    sizes(&right, results)?;
    root.present()?;
    Ok(())
}

fn ratios(area: &Area<'_>, options: &Options, results: &Results) -> Result<(), Box<dyn Error>> {
    let lines: Vec<&Compared> = results.latencies.iter().chain(&results.rates).collect();
    let mut names: Vec<&str> = Vec::new();
    for line in &lines {
        if !names.contains(&line.what.as_str()) {
            names.push(&line.what);
        }
    }
    let [few, many] = options.sessions();
    // What a busy machine spreads beyond this would leave no room for the rest.
    let highest = lines.iter().map(|line| line.ratio.high).fold(1.5, f64::max);
    let top = highest.clamp(LIMIT, 2.0) + 0.1;
    // A group has a bar of width one for each store, and one for the space between.
    let width = (names.len() * 3) as f64;
    let mut chart = ChartBuilder::on(area)
        .caption(
            format!("Time with {many} sessions, as a multiple of that with {few}"),
            ("sans-serif", 18),
        )
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(40)
        .build_cartesian_2d(0.0..width, 0.0..top)?;
    let name = |x: &f64| {
        let place = *x as usize;
        let name = names.get(place / 3).filter(|_| place % 3 == 1);
        name.map_or_else(String::new, |name| match *name {
            "loads" | "updates" => format!("64 {name}"),
            _ => (*name).to_owned(),
        })
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE)
        .x_labels(names.len() * 3 + 1)
        .x_label_formatter(&name)
        .draw()?;
    for (place, backend) in [Backend::Redis, Backend::Postgres].into_iter().enumerate() {
        let style = color(backend).filled();
        let own = lines.iter().filter(|line| line.backend == backend);
        let bars: Vec<_> = own
            .filter_map(|line| {
                let group = names.iter().position(|name| *name == line.what)?;
                Some(((group * 3 + place) as f64 + 0.25, line.ratio))
            })
            .collect();
        let shapes = bars
            .iter()
            .map(|(x, ratio)| Rectangle::new([(*x, 0.0), (x + 0.9, ratio.median.min(top))], style));
        chart
            .draw_series(shapes)?
            .label(format!("{backend:?}"))
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 10, y + 5)], style));
        let spreads = bars.iter().map(|(x, ratio)| {
            PathElement::new([(x + 0.45, ratio.low.min(top)), (x + 0.45, ratio.high.min(top))], BLACK)
        });
        chart.draw_series(spreads)?;
    }
    chart
        .draw_series([PathElement::new([(0.0, LIMIT), (width, LIMIT)], BLACK)])?
        .label(format!("at most {LIMIT}"))
        .legend(|(x, y)| PathElement::new([(x, y), (x + 10, y)], BLACK));
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    Ok(())
}

/// A column for each store, of its parts.
fn sizes(area: &Area<'_>, results: &Results) -> Result<(), Box<dyn Error>> {
    let backends = [Backend::Redis, Backend::Postgres];
    let mut bars = Vec::new();
    let mut top = 0.0_f64;
    for (place, backend) in backends.into_iter().enumerate() {
        let mut height = 0.0;
        for (number, size) in results.sizes.iter().filter(|size| size.backend == backend).enumerate() {
            let (from, to) = (height, height + size.per_session());
            bars.push((
                place as f64,
                from,
                to,
                size.part.clone(),
                color(backend).mix(1.0 / (number + 1) as f64),
            ));
            height = to;
        }
        top = top.max(height);
    }
    let mut chart = ChartBuilder::on(area)
        .caption("Bytes a session of 300", ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..2.0, 0.0..top * 1.1)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .y_label_formatter(&|bytes| format!("{bytes:.0}"))
        .draw()?;
    let text = ("sans-serif", 12);
    for (x, from, to, part, color) in bars {
        chart.draw_series([Rectangle::new([(x + 0.1, from), (x + 0.9, to)], color.filled())])?;
        // What is too thin for its name is in the table.
        if to - from > top / 25.0 {
            let name = format!("{part}: {:.0}", to - from);
            chart.draw_series([Text::new(name, (x + 0.13, (from + to) / 2.0 + top / 60.0), text)])?;
        }
    }
    for (place, backend) in backends.into_iter().enumerate() {
        chart.draw_series([Text::new(
            format!("{backend:?}"),
            (place as f64 + 0.35, top * 1.07),
            ("sans-serif", 14),
        )])?;
    }
    Ok(())
}

const fn color(backend: Backend) -> RGBColor {
    match backend {
        Backend::Redis => RGBColor(220, 90, 90),
        _ => RGBColor(90, 130, 210),
    }
}
