"""The client portal: who a client is, how a client signs in, and sessions.

addresses   an address in its one form, as a digest and sealed
opening     what an address opens: contacts, leads, envelopes that staff or programs entered
sign_in     a request for a mail with a link and a code, and both of them used
sessions    a browser that has signed in, until one of its contacts changes
"""
