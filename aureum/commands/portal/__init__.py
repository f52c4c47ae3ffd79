"""The client portal: who a client is, how a client signs in, and sessions.

addresses   an address in its one form, as a digest and sealed
opening     what an address opens: contacts, leads, envelopes that staff or programs entered
limits      how many mails and codes an address gets
browsers    marks of browsers in which an address has signed in
sign_in     a request for a mail with a link and a code, and both of them used
languages   in which language the person of an address reads
sessions    a browser that has signed in, until one of its contacts changes
moving      a client has another address
feeds       the calendar feed of an address
"""
