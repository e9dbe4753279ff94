"""The loop of the controller: it plans on time and on change, and applies what the policy allows.

clock     time, and waiting for it
source    where the files come from: the folder of -C, or (`git`) a repository
hook      calls of git servers, which ask for a round at once
events    what people are told: what a round found (`round_events`), and which of it is news (`edges`)
notify    tells it: webhooks, chats
observer  who watches rounds: metrics and traces
approval  approvals of waiting plans, kept in the store of the inventory
board     what the loop shows to the server of its process
state     what a controller knows about its environment; kept in the store, so that it survives a restart
"""
