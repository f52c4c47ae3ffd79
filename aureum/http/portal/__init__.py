"""The client portal: pages for buyers and sellers, in the name and colour of their brokerage (docs/portal.md).

pages       every page, in one list
page        a page as an ASGI application: which brokerage, which client, and refusals as pages
visit       what a handler gets: the client, the form, the texts, ``render``
rendering   templates into answers, with the headers that keep them private
catalogue   the texts in every language
home        the first page, of parts that each say what waits for the client
preview     the same pages as staff see them, where nothing can be pressed
"""
