use super::*;

/// See the first lines of the file for how it was made.
const INDEPENDENT: &str = include_str!("holidays.txt");

#[test]
fn the_shipped_holidays_are_those_of_an_independent_source() {
    let sets = shipped().holidays;
    let mut compared = 0;
    for line in INDEPENDENT.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let (name, year) = (words.next().unwrap(), words.next().unwrap());
        let theirs: Vec<String> = words.map(|day| format!("{year}-{day}")).collect();
        let year = year.parse().unwrap();
        let ours: Vec<String> = sets[name].dates(year, year).keys().map(ToString::to_string).collect();
        assert_eq!(ours, theirs, "{name} {year}");
        compared += theirs.len();
    }
    assert_eq!(compared, 1181);
}
