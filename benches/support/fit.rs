//! How a figure grows with a size: the exponent of the power law through the points.

/// The exponent `e` of `y = c * x^e` with the least squares between logarithms, and `c`; nothing of fewer than two sizes.
pub fn power_law(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let count = points.len() as f64;
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|log| log.0), mean(|log| log.1));
    let spread: f64 = logs.iter().map(|log| (log.0 - x).powi(2)).sum();
    let together: f64 = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum();
    (spread > 0.0).then(|| (together / spread, (y - x * together / spread).exp()))
}
