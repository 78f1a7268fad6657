//! Armed rules in a state file: what each says, and how far it has come. What a rule holds back is not in it, as it is on
//! its way to a connection that the file does not have.

use serde::{Deserialize, Serialize};

use super::{At, COUNTER_MAX, FaultsState, Number, StateFault, is_default};
use crate::machine::rules::{Armed, RULES_MAX, Rules};
use crate::machine::{Millis, Server};
use crate::rule::Rule;

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ArmedRuleState {
    /// Its number in its world, from 1.
    pub id: Number,
    /// What it says.
    pub text: Rule,
    /// When it was armed, in ms since 1970: `within` and `after` count from there.
    pub armed_at_ms: u64,
    /// How many frames or requests it has looked at.
    #[serde(default, skip_serializing_if = "is_default")]
    pub looked_at: Number,
    /// How many of those were what it is about: `2nd` and `every 3rd` count these.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fitted: Number,
    /// How often it has acted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hits: Number,
}

pub(super) fn save(server: &Server) -> Vec<ArmedRuleState> {
    let one = |armed: &Armed| ArmedRuleState {
        id: Number(armed.id),
        text: armed.rule.clone(),
        armed_at_ms: armed.at.0,
        looked_at: Number(armed.looked_at),
        fitted: Number(armed.fitted),
        hits: Number(armed.hits),
    };
    server.rules.armed.iter().map(one).collect()
}

/// Rules are asked in the order in which they were armed, which is that of their numbers.
pub(super) fn load(server: &mut Server, state: &FaultsState, at: &At<'_>) -> Result<(), StateFault> {
    let Number(ever) = state.rules_ever;
    if ever > COUNTER_MAX {
        let reason = format!("at most {COUNTER_MAX}, or numbers would run out");
        return Err(at.field("rules_ever").fault(reason));
    }
    let at = at.field("rules");
    if state.rules.len() > RULES_MAX {
        return Err(at.fault(format!("{} rules, and a world has at most {RULES_MAX}", state.rules.len())));
    }
    let (mut before, mut armed) = (0, Vec::with_capacity(state.rules.len()));
    for (index, rule) in state.rules.iter().enumerate() {
        let at = at.index(index);
        let id = rule.id.0;
        if id <= before {
            let reason = match before {
                0 => "rules are numbered from 1".to_owned(),
                _ => format!("{id} is not behind the one before it, which is {before}"),
            };
            return Err(at.field("id").fault(reason));
        }
        if id > ever {
            let reason = format!(
                "{id} is above `rules_ever`, which is {ever}: it would be given to another rule, too"
            );
            return Err(at.field("id").fault(reason));
        }
        before = id;
        let counted = [("looked_at", rule.looked_at), ("fitted", rule.fitted), ("hits", rule.hits)];
        if rule.looked_at.0 > COUNTER_MAX {
            return Err(at.field("looked_at").fault(format!("at most {COUNTER_MAX}")));
        }
        for [(more, Number(most)), (less, Number(least))] in
            [[counted[0], counted[1]], [counted[1], counted[2]]]
        {
            if least > most {
                let reason = format!("{least} is more than `{more}`, which is {most}");
                return Err(at.field(less).fault(reason));
            }
        }
        armed.push(Armed {
            id,
            rule: rule.text.clone(),
            at: Millis(rule.armed_at_ms),
            looked_at: rule.looked_at.0,
            fitted: rule.fitted.0,
            hits: rule.hits.0,
            // Found out once something comes.
            spent: false,
        });
    }
    server.rules = Rules::resumed(armed, ever);
    Ok(())
}
