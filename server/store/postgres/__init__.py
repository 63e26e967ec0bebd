"""The store on PostgreSQL: any number of server processes on one database.

`docs/decisions` says why it is as it is. A transaction that writes takes, in this order
and each sorted: the world (shared), its stations, its logs, what it may take back, its
places, its items; at the very end, for as long as a commit takes, the turn.
"""
