//! The life of a household: signs up, acts beat by beat, and compares at the end.

use std::sync::Arc;
use std::time::Duration;

use playhead_domain::Plan;
use rand::rngs::StdRng;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::act::{Actor, Person};
use super::board::Board;
use super::client::{Client, ClientError};
use super::happening::What;
use super::household::Household;

/// A household and its connection to the server.
#[derive(Debug)]
pub(super) struct Life {
    number: u32,
    household: Household,
    actor: Actor,
    people: Vec<Person>,
}

impl Life {
    /// The household of this number, which has yet to sign up.
    pub(super) fn new(number: u32, mut rng: StdRng, client: Client, board: Arc<Board>) -> Self {
        let household = Household::draw(number, &mut rng);
        Self { number, household, actor: Actor { client, board, rng }, people: vec![] }
    }

    /// Lives, one step each `beat`, until told to stop; then ends what plays and compares what the
    /// server shows with what was done. `delay` keeps households from acting all at once.
    pub(super) async fn run(mut self, delay: Duration, beat: Duration, stop: CancellationToken) {
        if stop.run_until_cancelled(sleep(delay)).await.is_none() {
            return;
        }
        if let Err(error) = self.sign_up().await {
            self.actor.failed(&self.household.name, &error);
        }
        let mut beats = interval(beat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(beats.tick()).await.is_some() {
            for person in &mut self.people {
                self.actor.act(person).await;
            }
        }
        for person in &mut self.people {
            self.actor.end(person).await;
        }
    }

    async fn sign_up(&mut self) -> Result<(), ClientError> {
        let Household { name, plan, members } = &self.household;
        let Actor { client, board, rng } = &mut self.actor;
        client.open_account().await?;
        client.subscribe(plan_name(*plan)).await?;
        for (index, member) in members.iter().enumerate() {
            let id = client.add_profile(member.name, member.language, member.kids).await?;
            let who = format!("{} {name}", member.name);
            self.people.push(Person::new((self.number, index), who, id, rng));
        }
        let members = members.iter().map(|member| member.name).collect();
        board.tell(name, What::Joined { plan: plan.as_str(), members });
        Ok(())
    }
}

/// The plan as the API names it.
fn plan_name(plan: Plan) -> &'static str {
    match plan {
        Plan::Basic => "BASIC",
        Plan::Standard => "STANDARD",
        Plan::Premium => "PREMIUM",
    }
}
