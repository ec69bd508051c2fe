//! `ringdown simulate-world`: nodes, a database, carriers and people in one thread, and everything that can go wrong
//! among them, seed by seed.

use anyhow::bail;

use crate::simulation::{Counters, Fault, Mutant, examine, live};

/// Lives through whole worlds of faults and checks that every invariant holds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown simulate-world --seeds 1000
  ringdown simulate-world --seed 4711 --trace
  ringdown simulate-world --seeds 200 --mutant lease-without-fence

The exit code is 0 when every invariant held in every world, 1 when one did not; what happened is printed, and how to
see it again.")]
pub struct Args {
    /// How many worlds, from the first seed on
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0, value_name = "S")]
    pub from: u64,
    /// One world alone
    #[arg(long, value_name = "S", conflicts_with_all = ["seeds", "from"])]
    pub seed: Option<u64>,
    /// Plant a bug: the first world in which a checker finds it ends the run
    #[arg(long, value_name = "NAME")]
    pub mutant: Option<Mutant>,
    /// Print all that happens
    #[arg(long)]
    pub trace: bool,
}

/// Lives through the worlds and prints what came of them.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let (first, many) = args.seed.map_or((args.from, args.seeds), |seed| (seed, 1));
    let mut counters = Counters::default();
    let (mut incidents, mut events, mut requests, mut doubled) = (0, 0, 0, 0);
    for seed in first..first.saturating_add(many) {
        let lived = if args.trace { live(seed, args.mutant, true) } else { examine(seed, args.mutant) };
        for line in lived.trace.iter().filter(|_| args.trace) {
            say!("{line}");
        }
        if let Some(failure) = lived.failure {
            say!("{failure}");
            bail!("an invariant does not hold, in world {} of {many}", seed - first + 1);
        }
        counters.add(&lived.counters);
        incidents += lived.incidents;
        events += lived.events;
        requests += lived.requests;
        doubled += lived.doubled;
    }
    for fault in Fault::ALL {
        say!("{:>9}  {fault}", counters.of(*fault));
    }
    say!("{many} worlds, {incidents} incidents, {events} events, {requests} requests to carriers ({doubled} of them a");
    say!("second one for the same attempt): every invariant held");
    Ok(())
}
