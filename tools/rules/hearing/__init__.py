"""From words to facts: what was said, each with its quote. It knows no product by name.

`reading` takes a message through the passes, a room each, of which none knows those after it: `layout`, `tokens`, `words`, `groups`,
`assignment`, `edits`. `scene` is the message as they see it. `proving` judges edits, whoever made them; `report` tells what was heard.
"""
