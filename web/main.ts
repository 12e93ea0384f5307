/** Starts the dashboard once the page has been read. */
document.title = 'sluice';
